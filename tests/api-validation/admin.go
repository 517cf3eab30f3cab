package main

// The admin policies: AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

import (
	"fmt"
	"strings"
)

const adminGroup = "policy.networking.k8s.io/"

// shape is what differs between the kinds.
type shape struct {
	kind      string
	version   string
	actions   []any
	priority  bool
	cluster   bool // ClusterNetworkPolicy: tier, protocols instead of ports
	singleton bool // the only name is `default`
	domains   bool
}

var (
	adminShape    = shape{kind: "AdminNetworkPolicy", version: "v1alpha1", actions: anys("Allow", "Deny", "Pass"), priority: true, domains: true}
	baselineShape = shape{kind: "BaselineAdminNetworkPolicy", version: "v1alpha1", actions: anys("Allow", "Deny"), singleton: true}
	clusterShape  = shape{kind: "ClusterNetworkPolicy", version: "v1alpha2", actions: anys("Accept", "Deny", "Pass"), priority: true, cluster: true, domains: true}
)

var (
	actionsWrong  = append(anys("Allow", "Accept", "Pass", "allow", "", "Reject", "Drop"), nil, 5)
	domainsRight  = anys("example.com", "*.example.com", "a.b.c.d", "a_b.com", "example.com.", "EXAMPLE.com", "1.2", "x--y.z")
	domainsWrong  = append(anys("com", "*", "*.com.*", "", "a..b", ".com", "-a.com", "a-.com", "exa mple.com", "*.", "*example.com", "ä.com", "[.com", "_a.com", "a.com..", "^.a"), 5, nil)
	rangesRight   = [][2]any{{1, 65535}, {80, 90}, {80, 81}}
	rangesWrong   = [][2]any{{80, 80}, {90, 80}, {0, 80}, {80, 65536}, {nil, 80}, {80, nil}, {"80", 90}, {1.5, 90}, {-1, 5}}
	portsRight    = []any{1, 80, 65535, bare("0x50"), bare("80.0")}
	portsWrong    = []any{0, -1, 65536, "80", nil, 1.5, true, int64(4294967296), bare("99999999999999999999"), "http", bare("1e2")}
	priorityWrong = []any{-1, 1001, "5", nil, 1.5, true, int64(4294967296), list{}}
)

func (g *generator) subject() any {
	subject := object{}
	switch g.Intn(3) {
	case 0:
		subject["namespaces"] = g.selector()
	default:
		subject["pods"] = g.podsOf()
	}
	if g.chance(g.wrong / 2) {
		subject["namespaces"] = g.selector()
	}
	if g.chance(g.wrong / 4) {
		return object{}
	}
	return subject
}

func (g *generator) podsOf() any {
	pods := object{"namespaceSelector": g.selector(), "podSelector": g.selector()}
	if g.chance(g.wrong) {
		delete(pods, pick(g, []string{"namespaceSelector", "podSelector"}))
	}
	return pods
}

func (g *generator) manyOrFew(limit int, item func() any) any {
	least, most := 1, 2
	if g.chance(g.wrong) {
		least, most = 0, 0
		if g.chance(0.6) {
			least, most = limit, limit+1
		}
	}
	return g.some(least, most, item)
}

func (g *generator) adminPeer(s shape, egress bool) func() any {
	return func() any {
		peer := object{}
		kinds := []string{"namespaces", "pods", "pods"}
		if egress {
			kinds = append(kinds, "networks", "networks", "nodes")
			if s.domains {
				kinds = append(kinds, "domainNames")
			}
		}
		if g.chance(g.wrong) {
			kinds = []string{"networks", "nodes", "domainNames", "ipBlock"}
		}
		for range 1 + g.Intn(10)/9*g.Intn(2) {
			switch field := pick(g, kinds); field {
			case "namespaces", "nodes":
				peer[field] = g.selector()
			case "pods":
				peer[field] = g.podsOf()
			case "ipBlock":
				peer[field] = g.block()
			case "networks":
				seen := 0
				peer[field] = g.manyOrFew(25, func() any {
					seen++
					if seen > 2 {
						return fmt.Sprintf("10.%d.0.0/16", seen)
					}
					return g.either(append(blocksRight, blocksLoose...), blocksWrong)
				})
			case "domainNames":
				seen := 0
				peer[field] = g.manyOrFew(25, func() any {
					seen++
					if seen > 2 {
						return fmt.Sprintf("x%d.example.com", seen)
					}
					return g.either(domainsRight, domainsWrong)
				})
			}
		}
		if g.chance(g.wrong / 4) {
			return object{}
		}
		return peer
	}
}

func (g *generator) alphaPort() any {
	port := object{}
	numbered := func(fields object) object {
		if g.chance(0.8) {
			fields["protocol"] = g.either(anys("TCP", "UDP", "SCTP"), protocolsBad)
		}
		return fields
	}
	switch g.Intn(4) {
	case 0, 1:
		port["portNumber"] = numbered(object{"port": g.either(portsRight, portsWrong)})
	case 2:
		pair := pick(g, rangesRight)
		if g.chance(g.wrong) {
			pair = pick(g, rangesWrong)
		}
		port["portRange"] = numbered(object{"start": pair[0], "end": pair[1]})
	default:
		port["namedPort"] = g.either(anys("http", "web-1", "A", ""), []any{5, nil, list{}})
	}
	if g.chance(g.wrong / 3) {
		port["namedPort"] = "http"
	}
	if g.chance(g.wrong / 4) {
		return object{}
	}
	return port
}

func (g *generator) protocol() any {
	if g.chance(0.2) {
		return object{"destinationNamedPort": g.either(anys("http", "web-1", "", "A"), []any{5, nil, list{}})}
	}
	port := object{"number": g.either(portsRight, portsWrong)}
	if g.chance(0.4) {
		pair := pick(g, rangesRight)
		if g.chance(g.wrong) {
			pair = pick(g, rangesWrong)
		}
		port = object{"range": object{"start": pair[0], "end": pair[1]}}
	}
	if g.chance(g.wrong / 3) {
		port["number"] = 80
	}
	if g.chance(g.wrong / 4) {
		port = object{}
	}
	name := fmt.Sprint(g.either(anys("tcp", "udp", "sctp"), anys("TCP", "icmp", "Tcp")))
	protocol := object{name: object{"destinationPort": port}}
	if g.chance(g.wrong / 4) {
		protocol[name] = pick(g, []any{object{}, nil, object{"port": 80}})
	}
	if g.chance(g.wrong / 4) {
		protocol["udp"] = object{"destinationPort": object{"number": 53}}
	}
	return protocol
}

func (g *generator) adminRule(s shape, peers string) func() any {
	return func() any {
		rule := object{
			"action": g.either(s.actions, actionsWrong),
			peers:    g.manyOrFew(s.limit(), g.adminPeer(s, peers == "to")),
		}
		if g.chance(0.3) {
			rule["name"] = g.either(anys("", "allow dns", long(100), strings.Repeat("ä", 100)), []any{long(101), 5, nil, strings.Repeat("ä", 101)})
		}
		if g.chance(0.4) {
			if s.cluster {
				rule["protocols"] = g.manyOrFew(s.limit(), g.protocol)
			} else {
				rule["ports"] = g.manyOrFew(s.limit(), g.alphaPort)
			}
		}
		if g.chance(g.wrong / 4) {
			delete(rule, pick(g, sortedKeys(rule)))
		}
		return rule
	}
}

func (s shape) limit() int {
	if s.cluster {
		return 25
	}
	return 100
}

func (g *generator) adminPolicy(s shape) object {
	spec := object{"subject": g.subject()}
	if s.priority {
		spec["priority"] = g.either([]any{0, 1, 500, 1000, bare("0x10"), bare("1_0"), bare("5.0")}, priorityWrong)
	}
	if s.cluster {
		spec["tier"] = g.either(anys("Admin", "Baseline"), append(anys("admin", "", "Platform"), nil, 5))
	}
	if g.chance(g.wrong / 4) {
		delete(spec, pick(g, sortedKeys(spec)))
	}
	if g.chance(0.7) {
		spec["ingress"] = g.rules(s, "from")
	}
	if g.chance(0.7) {
		spec["egress"] = g.rules(s, "to")
	}
	metadata := g.metadata(false)
	if s.singleton {
		metadata.(object)["name"] = g.either(anys("default"), anys("other", "Default", ""))
	}
	policy := object{
		"apiVersion": g.either(anys(adminGroup+s.version),
			[]any{adminGroup + "v1", adminGroup + "v1beta1", adminGroup + "v1alpha3", "networking.k8s.io/v1", nil}),
		"kind":     s.kind,
		"metadata": metadata,
		"spec":     spec,
	}
	if g.chance(0.05) {
		policy["status"] = g.either([]any{nil, object{"conditions": list{}}}, []any{object{}, "x", object{"foo": 1}, object{"conditions": nil}, object{"conditions": list{object{}}}})
	}
	if g.chance(g.wrong / 8) {
		delete(policy, "spec")
	}
	return policy
}

func (g *generator) rules(s shape, peers string) any {
	if g.chance(g.wrong / 8) {
		count := s.limit() + g.Intn(2)
		return g.some(count, count, func() any {
			return object{"action": "Deny", peers: list{object{"namespaces": object{}}}}
		})
	}
	return g.some(0, 2, g.adminRule(s, peers))
}
