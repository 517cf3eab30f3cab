package main

// Objects at random: most are nearly right. A generated object is a tree of plain values; a scalar
// that only YAML can write (080, 0x50, yes) stands in it as `bare`.

import (
	"fmt"
	"math/rand"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

type object = map[string]any
type list = []any

// bare is a scalar that is written as it stands, without quotes.
type bare string

// generator makes one object. `wrong` is the chance that a leaf comes from the pool of values that
// the API refuses, or that only some servers take.
type generator struct {
	*rand.Rand
	index int
	wrong float64
}

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func pick[T any](g *generator, pool []T) T { return pool[g.Intn(len(pool))] }

// either takes from the right pool, or from the wrong one as often as the generator says.
func (g *generator) either(right, wrong []any) any {
	if g.chance(g.wrong) {
		return pick(g, wrong)
	}
	return pick(g, right)
}

// some makes up to `most` items, at least `least`; sometimes null instead of none.
func (g *generator) some(least, most int, item func() any) any {
	count := least + g.Intn(most-least+1)
	if count == 0 && g.chance(0.2) {
		return nil
	}
	items := list{}
	for range count {
		items = append(items, item())
	}
	return items
}

func long(n int) string { return strings.Repeat("x", n) }

func anys(values ...string) []any {
	all := make([]any, len(values))
	for i, value := range values {
		all[i] = value
	}
	return all
}

var (
	longDomain   = long(63) + "." + long(63) + "." + long(63) + "." + long(61) // 253
	tooLong      = longDomain + "x"
	keysRight    = anys("app", "tier", "A", "1", "a_b.c-d", "kubernetes.io/metadata.name", "a/b", long(63), "x.y/"+long(63), longDomain+"/k", "0.0/0")
	keysWrong    = append(anys("", long(64), "/a", "a/", "a/b/c", "-a", "a-", "A.com/x", tooLong+"/k", "a b", "ä", "a..b/c", "a/-b", "_a", "a/"+long(64), "-/a", "a_b/c", " a"), bare("5"), bare("true"), bare("~"))
	valuesRight  = anys("", "web", "a.b_c-D", "1", "true", "X", long(63), "0")
	valuesWrong  = append(anys("-v", "v-", "a b", "é", "v/w", ".", "_", long(64), " ", "v\n", "a,b", "*"), 5, true, 1.5, bare("yes"), bare("0x1"), bare("1.0"), bare("2024-01-01"), bare("1e3"), bare("on"), object{}, list{})
	namesWrong   = append(anys("", "A", "a_b", "-a", "a-", "a..b", "a b", "ä", "a/b", "..", ".", tooLong, "a.", ".a", "a:b", "%", "a\n"), 5, true, bare("1e3"))
	spacesRight  = anys("default", "team-a", long(63), "0", "kube-system", "")
	spacesWrong  = append(anys("A", "a_b", "a.b", long(64), "-a", "a-", "a b", "/"), 5, bare("1_0"))
	operators    = anys("In", "NotIn", "Exists", "DoesNotExist")
	operatorsBad = append(anys("in", "IN", "Equals", "", "Gt", "Lt", "!", "exists", "In ", "notin"), nil, 5)
	protocols    = append(anys("TCP", "UDP", "SCTP"), nil)
	protocolsBad = append(anys("tcp", "", "ICMP", "TCP ", "Udp", "any", "6"), 6, bare("yes"))
	blocksRight  = anys("10.0.0.0/8", "0.0.0.0/0", "192.168.1.1/32", "10.1.0.0/16", "10.1.2.0/24", "10.128.0.0/9", "::/0", "fd00::/8", "2001:db8::/32", "2001:db8::1/128", "fe80::/10", "10.0.0.0/9")
	blocksLoose  = anys("10.0.0.1/8", "010.0.0.0/8", "10.00.0.0/16", "10.1.02.0/24", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::ffff:10.0.0.1/128", "::ffff:0.0.0.0/0", "2001:DB8::/32", "2001:db8:0:0::/64", "2001:0db8::/32", "fd00::1/8", "0.0.0.1/0", "192.168.1.1/24", "::10.0.0.0/104", "0:0:0:0:0:0:0:0/0", "::1/0", "1::/16", "::ffff:a00:0/104", "64:ff9b::10.0.0.0/104", "08.0.0.0/8", "000010.0.0.0/8", "10.0.0.0/32", "2001:db8::/0")
	blocksWrong  = append(anys("10.0.0.0", "10.0.0.0/33", "10.0.0/8", "256.0.0.0/8", "::/129", "", "10.0.0.0/", "/8", "10.0.0.0/-1", " 10.0.0.0/8", "10.0.0.0/8 ", "fe80::1%eth0/64", "10.0.0.0/255.0.0.0", "example.com/8", "1::2::3/64", "10.0.0.0/8/8", "0x0a.0.0.0/8", "10.0.0.0.0/8", "[::]/0", "10.0.0.0/08", "10.0.0.0/+8", "0.0.0.0/00", "10.0.0.0 /8", "10/8", "10.0.0.0\\8", "*", "0/0", "1.2.3.4-1.2.3.9", "::1", "fd00::/008", "12345::/16", ":::/0", "1:2:3:4:5:6:7/64", "1:2:3:4:5:6:7:8:9/64", "::ffff:10.0.0.0/8", "10.0.0.0/8\n", "1.2.3.4.5/8", "00000000001.0.0.0/8", "10.0.0.0/１"), bare("10.0"), 10, bare("2001:db8::/32"), bare("::/0"), nil, list{"10.0.0.0/8"})
)

func (g *generator) key() string {
	if g.chance(g.wrong) {
		return fmt.Sprint(pick(g, keysWrong))
	}
	return pick(g, keysRight).(string)
}

func (g *generator) labels() any {
	labels := object{}
	for range g.Intn(3) {
		labels[g.key()] = g.either(valuesRight, valuesWrong)
	}
	return labels
}

func (g *generator) requirement() any {
	operator := g.either(operators, operatorsBad)
	requirement := object{"key": g.either(keysRight, keysWrong), "operator": operator}
	wants := operator == "In" || operator == "NotIn"
	if g.chance(g.wrong) {
		wants = !wants
	}
	if wants {
		requirement["values"] =
			g.some(1, 3, func() any { return g.either(valuesRight, valuesWrong) })
	} else if g.chance(0.2) {
		requirement["values"] = pick(g, []any{nil, list{}})
	}
	return requirement
}

func (g *generator) selector() any {
	selector := object{}
	if g.chance(0.6) {
		selector["matchLabels"] = g.labels()
	}
	if g.chance(0.35) {
		selector["matchExpressions"] = g.some(0, 2, g.requirement)
	}
	if g.chance(0.03) {
		selector["matchLabels"] = nil
	}
	return selector
}

// metadata has a name of its own, unless it is a wrong one.
func (g *generator) metadata(namespaced bool) any {
	own := fmt.Sprintf("p%d", g.index)
	names := anys(own, own, own, "allow.web-"+own, longDomain[:252-len(own)]+"-"+own, "0-"+own)
	metadata := object{"name": g.either(names, namesWrong)}
	if namespaced && g.chance(0.5) {
		metadata["namespace"] = g.either(spacesRight, spacesWrong)
	}
	if g.chance(0.25) {
		metadata["labels"] = g.labels()
	}
	if g.chance(0.15) {
		metadata["annotations"] = object{g.key(): g.either(anys("", "a b", long(300)), []any{5, true, nil, list{}, object{}})}
	}
	if g.chance(0.04) {
		metadata["finalizers"] = g.either([]any{nil, list{}, list{"a.b/c"}}, []any{list{"a"}, list{""}, "x", list{5}})
	}
	if g.chance(0.04) {
		metadata["generateName"] = g.either(anys("", "web-"), []any{"A-", "a_", 5, list{}})
	}
	if g.chance(0.04) {
		metadata["creationTimestamp"] = g.either([]any{nil, "2024-01-02T03:04:05Z"}, []any{"yesterday", 5, ""})
	}
	if g.chance(0.03) {
		metadata["ownerReferences"] = g.either([]any{nil, list{}}, []any{list{object{}}, object{}, list{"x"}})
	}
	if !namespaced && g.chance(g.wrong) {
		metadata["namespace"] = "default"
	}
	return metadata
}

func (g *generator) port() any {
	port := object{}
	switch g.Intn(6) {
	case 0, 1, 2:
		port["port"] = g.either([]any{1, 80, 443, 5432, 65535, bare("0x50"), bare("8_0"), bare("80.0"), bare("0120"), bare("+80"), bare("8e1")},
			[]any{0, -1, 65536, 99999, int64(2147483648), int64(9223372036854775807), 1.5, "80", true, bare("080"), bare("0o120"), bare("99999999999999999999"), bare("yes"), bare(".inf"), list{}, object{}, list{80}})
	case 3, 4:
		port["port"] = g.either(anys("http", "a1", "1a", long(15), "a-b", "0-a"),
			anys("80", "", long(16), "HTTP", "a--b", "-a", "a-", "a_b", "http ", "1", "1-2", "ä", "a.b", "080"))
	default:
		if g.chance(0.2) {
			port["port"] = nil
		}
	}
	if g.chance(0.5) {
		port["protocol"] = g.either(protocols, protocolsBad)
	}
	_, number := port["port"].(int)
	if number && g.chance(0.3) {
		port["endPort"] = g.either([]any{65535, nil, port["port"]},
			[]any{0, -1, 65536, 1, 79, "90", 90.5, true, bare("90.0"), bare("6e4"), int64(4294967296), list{}})
	} else if g.chance(g.wrong) {
		port["endPort"] = pick(g, []any{90, 65535, nil, 0})
	}
	return port
}

func (g *generator) block() any {
	pools := [][]any{blocksRight, blocksRight, blocksLoose}
	draw := func() any {
		if g.chance(g.wrong) {
			return pick(g, blocksWrong)
		}
		if g.wrong == 0 {
			return pick(g, blocksRight)
		}
		return pick(g, pick(g, pools))
	}
	block := object{"cidr": draw()}
	if g.chance(0.3) {
		block["except"] = g.some(0, 2, func() any {
			if part := inside(g, block["cidr"]); part != "" && !g.chance(g.wrong) {
				return part
			}
			return draw()
		})
	}
	if g.chance(g.wrong / 4) {
		delete(block, "cidr")
	}
	return block
}

// inside is a block inside the given one, if the pool has one.
func inside(g *generator, block any) string {
	nested := map[string][]string{
		"10.0.0.0/8": {"10.1.0.0/16", "10.128.0.0/9", "10.255.255.255/32"},
		"0.0.0.0/0":  {"10.0.0.0/8", "192.168.1.0/24", "128.0.0.0/1"},
		"::/0":       {"fd00::/8", "8000::/1", "::1/128"},
		"fd00::/8":   {"fd00:1::/32", "fd00::/9"},
	}
	text, _ := block.(string)
	if parts := nested[text]; parts != nil {
		return pick(g, parts)
	}
	return ""
}

func (g *generator) peer() any {
	peer := object{}
	switch g.Intn(4) {
	case 0:
		peer["podSelector"] = g.selector()
	case 1:
		peer["namespaceSelector"] = g.selector()
	case 2:
		peer["podSelector"] = g.selector()
		peer["namespaceSelector"] = g.selector()
	default:
		peer["ipBlock"] = g.block()
		if g.chance(0.1) {
			peer["podSelector"] = nil
		}
	}
	if g.chance(g.wrong / 3) {
		peer["ipBlock"] = g.block()
	}
	if g.chance(g.wrong / 3) {
		peer = object{}
	}
	return peer
}

func (g *generator) rule(peers string) func() any {
	return func() any {
		rule := object{}
		if g.chance(0.7) {
			rule[peers] = g.some(0, 2, g.peer)
		}
		if g.chance(0.6) {
			rule["ports"] = g.some(0, 2, g.port)
		}
		return rule
	}
}

func (g *generator) networkPolicy() object {
	spec := object{}
	if !g.chance(0.05) {
		spec["podSelector"] = g.selector()
	}
	if g.chance(0.7) {
		spec["ingress"] = g.some(0, 2, g.rule("from"))
	}
	if g.chance(0.6) {
		spec["egress"] = g.some(0, 2, g.rule("to"))
	}
	if g.chance(0.6) {
		spec["policyTypes"] = g.either(
			[]any{nil, list{}, list{"Ingress"}, list{"Egress"}, list{"Ingress", "Egress"}, list{"Egress", "Egress"}},
			[]any{list{"ingress"}, list{"Ingress", "Egress", "Ingress"}, list{""}, "Ingress", list{nil}, list{"Both"}, list{5}, object{}, list{"Ingress", "egress"}})
	}
	policy := object{
		"apiVersion": g.either(anys("networking.k8s.io/v1"),
			[]any{"networking.k8s.io/v1beta1", "extensions/v1beta1", "v1", "networking.k8s.io/V1", "networking/v1", nil, 1, "networking.k8s.io/v1/x"}),
		"kind":     g.either(anys("NetworkPolicy"), []any{"Networkpolicy", "networkpolicy", "NetworkPolicies", nil}),
		"metadata": g.metadata(true),
		"spec":     spec,
	}
	if g.chance(0.03) {
		policy["spec"] = pick(g, []any{nil, object{}})
	}
	return policy
}

// place is where a value hangs in the tree.
type place struct {
	parent any
	key    string
	index  int
}

func (p place) get() any {
	if parent, ok := p.parent.(object); ok {
		return parent[p.key]
	}
	return p.parent.(list)[p.index]
}

func (p place) set(value any) {
	if parent, ok := p.parent.(object); ok {
		parent[p.key] = value
	} else {
		p.parent.(list)[p.index] = value
	}
}

// places lists every value below the root, in an order that the seed alone decides.
func places(value any) []place {
	var found []place
	switch value := value.(type) {
	case object:
		for _, key := range sortedKeys(value) {
			found = append(found, place{parent: value, key: key})
			found = append(found, places(value[key])...)
		}
	case list:
		for i := range value {
			found = append(found, place{parent: value, index: i})
			found = append(found, places(value[i])...)
		}
	}
	return found
}

var strangers = []string{"foo", "from", "to", "ports", "podSelector", "namespaceSelector", "ipBlock", "matchLabels", "values", "except", "cidr", "protocol", "port", "endPort", "spec", "status", "name", "namespaces", "pods", "action", "priority", "ingress", "egress", "policyTypes", "namespaceSelectors", "app"}

func wrongType(g *generator) any {
	return pick(g, []any{"text", "", 5, 0, -1, true, false, 1.5, list{}, object{}, list{"x"}, object{"a": "b"}, list{nil}, list{object{}}, object{"a": nil}, list{5}})
}

// mutate changes one place of the tree.
func (g *generator) mutate(root object) {
	all := places(root)
	spot := pick(g, all)
	value := clone(spot.get())
	switch g.Intn(9) {
	case 0:
		spot.set(nil)
	case 1, 2:
		spot.set(wrongType(g))
	case 3:
		if parent, ok := spot.parent.(object); ok {
			delete(parent, spot.key)
		} else {
			spot.set(nil)
		}
	case 4:
		spot.set(list{value})
	case 5:
		if items, ok := value.(list); ok && len(items) > 0 {
			spot.set(pick(g, []any{items[0], append(items, items[0]), append(items, nil)}))
		}
	case 6:
		if parent, ok := spot.parent.(object); ok {
			delete(parent, spot.key)
			parent[respell(g, spot.key)] = value
		}
	default:
		if inner, ok := spot.get().(object); ok {
			inner[pick(g, strangers)] = pick(g, []any{nil, wrongType(g), value})
		} else if parent, ok := spot.parent.(object); ok {
			parent[pick(g, strangers)] = value
		}
	}
}

func respell(g *generator, key string) string {
	if key == "" {
		return "x"
	}
	return pick(g, []string{
		strings.ToLower(key), strings.ToUpper(key[:1]) + key[1:], key + "s",
		strings.TrimSuffix(key, "s"), key + " ", strings.ToUpper(key), pick(g, strangers),
	})
}

var bareMark = regexp.MustCompile(`['"]?@bare(\d+)@['"]?`)

// write turns the tree into text: JSON now and then, YAML otherwise.
func write(root object, asJSON bool) []byte {
	var scalars []string
	marked := mark(root, &scalars, asJSON)
	text, err := yaml.Marshal(marked)
	if err != nil {
		panic(err)
	}
	if asJSON {
		if text, err = yaml.YAMLToJSON(text); err != nil {
			panic(err)
		}
		return append(text, '\n')
	}
	return bareMark.ReplaceAllFunc(text, func(found []byte) []byte {
		var number int
		fmt.Sscanf(strings.Trim(string(found), `'"`), "@bare%d@", &number)
		return []byte(scalars[number])
	})
}

func mark(value any, scalars *[]string, asJSON bool) any {
	switch value := value.(type) {
	case object:
		marked := object{}
		for _, key := range sortedKeys(value) {
			marked[key] = mark(value[key], scalars, asJSON)
		}
		return marked
	case list:
		marked := make(list, len(value))
		for i, item := range value {
			marked[i] = mark(item, scalars, asJSON)
		}
		return marked
	case bare:
		if asJSON {
			return string(value)
		}
		*scalars = append(*scalars, string(value))
		return fmt.Sprintf("@bare%d@", len(*scalars)-1)
	}
	return value
}
