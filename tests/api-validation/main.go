// Command api-validation holds netpal against the API's own validation, object by object: it
// generates policies from a seed, asks the code of the API server about each, asks netpal about
// each, and prints every kind of disagreement with the smallest object that shows it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
)

func sortedKeys(m object) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// sample is one object and what both sides say of it; an empty string is "valid".
type sample struct {
	tree   object
	asJSON bool
	text   []byte
	api    string
	netpal string
}

func (s *sample) agree() bool { return (s.api == "") == (s.netpal == "") }

// run is what the flags say.
type run struct {
	netpal     string
	kubernetes string
	server     server
	show       int
	keep       string
}

func main() {
	seed := flag.Int64("seed", 1, "seed of the first object")
	policies := flag.Int("policies", 12000, "how many NetworkPolicies")
	admin := flag.Int("admin", 8000, "how many admin policies")
	binary := flag.String("netpal", "netpal", "the program to hold against the API")
	minor := flag.Int("minor", 36, "minor version of Kubernetes: 35 or 36")
	definitions := flag.String("crds", "", "files with CustomResourceDefinitions, by commas")
	clusterVersion := flag.String("cluster-version", "v1alpha2", "version of ClusterNetworkPolicy")
	show := flag.Int("show", 1, "how many objects of each kind of disagreement are printed")
	check := flag.String("check", "", "only say what the API says of this file")
	keep := flag.String("keep", "", "folder where the objects and both verdicts are left")
	flag.Parse()

	if *minor < 36 {
		must(utilfeature.DefaultMutableFeatureGate.Set("StrictIPCIDRValidation=false"))
	}
	s, err := newServer(strings.FieldsFunc(*definitions, func(r rune) bool { return r == ',' }))
	must(err)
	if *check != "" {
		text, err := os.ReadFile(*check)
		must(err)
		fmt.Println(orValid(verdict(s, text)))
		return
	}
	program, err := exec.LookPath(*binary)
	must(err)
	program, err = filepath.Abs(program)
	must(err)
	r := &run{program, fmt.Sprintf("1.%d", *minor), s, *show, *keep}
	clusterShape.version = *clusterVersion
	wrong := r.compare("NetworkPolicy", generate(*seed, *policies, func(g *generator) object {
		return g.networkPolicy()
	}))
	shapes := []shape{adminShape, baselineShape, clusterShape, clusterShape}
	wrong += r.compare("admin policies", generate(*seed+1_000_000_000, *admin, func(g *generator) object {
		return g.adminPolicy(shapes[g.index%len(shapes)])
	}))
	if wrong > 0 {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// generate makes objects, each from a seed of its own: a third without any wrong value, a third
// with some, a third with places that were changed at random.
func generate(seed int64, count int, one func(*generator) object) []*sample {
	var samples []*sample
	for index := range count {
		g := &generator{Rand: rand.New(rand.NewSource(seed + int64(index))), index: index}
		if index%3 == 1 {
			g.wrong = 0.05
		}
		tree := clone(one(g)).(object)
		if index%3 == 2 {
			for range 1 + g.Intn(2) {
				g.mutate(tree)
			}
		}
		samples = append(samples, &sample{tree: tree, asJSON: index%7 == 0})
	}
	return samples
}

// verdict is every fault that the API finds, one a line.
func verdict(s server, text []byte) string {
	err := s.judge(text)
	if err == nil {
		return ""
	}
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Details == nil {
		return strings.ReplaceAll(err.Error(), "\n", " ")
	}
	var faults []string
	for _, cause := range status.ErrStatus.Details.Causes {
		if cause.Field != "<nil>" { // only says that the others come first
			faults = append(faults, strings.ReplaceAll(cause.Field+": "+cause.Message, "\n", " "))
		}
	}
	if len(faults) == 0 {
		return strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return strings.Join(faults, "\n")
}

func orValid(message string) string {
	if message == "" {
		return "valid"
	}
	return message
}

func (r *run) compare(what string, samples []*sample) int {
	r.ask(samples)
	r.leave(what, samples)
	valid, wrong := 0, 0
	kinds := map[string][]*sample{}
	shrunken := map[string]*sample{}
	for _, s := range samples {
		if s.api == "" {
			valid++
		}
		if s.agree() {
			continue
		}
		wrong++
		whole := strings.Join(faultsOf(s), " | ")
		small, known := shrunken[whole]
		if !known {
			small = r.shrink(s)
			shrunken[whole] = small
		}
		key := strings.Join(faultsOf(small), " | ")
		kinds[key] = append(kinds[key], small)
	}
	fmt.Printf("%s: %d objects, %d valid by the API, %d not; netpal differs on %d, of %d kinds\n",
		what, len(samples), valid, len(samples)-valid, wrong, len(kinds))
	keys := make([]string, 0, len(kinds))
	for key := range kinds {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := len(kinds[keys[i]]), len(kinds[keys[j]])
		return a > b || a == b && keys[i] < keys[j]
	})
	for _, key := range keys {
		fmt.Printf("\n## %d x %s\n", len(kinds[key]), key)
		group := kinds[key]
		sort.SliceStable(group, func(i, j int) bool { return len(group[i].text) < len(group[j].text) })
		group = slices.Compact(group)
		for _, s := range group[:min(r.show, len(group))] {
			fmt.Printf("API: %s\nnetpal: %s\n%s", orValid(s.api), orValid(s.netpal), s.text)
		}
	}
	return wrong
}

// leave writes the objects to the folder of -keep, with a table of what was said of them.
func (r *run) leave(what string, samples []*sample) {
	if r.keep == "" {
		return
	}
	folder := filepath.Join(r.keep, what)
	must(os.MkdirAll(folder, 0o700))
	var table strings.Builder
	for i, s := range samples {
		must(os.WriteFile(filepath.Join(folder, fileName(i)), s.text, 0o600))
		line := strings.ReplaceAll(orValid(s.api)+"\t"+orValid(s.netpal), "\n", " | ")
		fmt.Fprintf(&table, "%s\t%s\n", fileName(i), line)
	}
	must(os.WriteFile(filepath.Join(folder, "verdicts.tsv"), []byte(table.String()), 0o600))
}

// ask fills in the text and both verdicts of every sample. Many are asked about at once, but two
// of one name never are, since the second would be about the first.
func (r *run) ask(samples []*sample) {
	for len(samples) > 0 {
		var later []*sample
		var batch []*sample
		names := map[string]bool{}
		for i, s := range samples {
			if len(batch) == batchSize {
				later = append(later, samples[i:]...)
				break
			}
			if name := nameOf(s.tree); names[name] {
				later = append(later, s)
			} else {
				names[name] = true
				batch = append(batch, s)
			}
		}
		r.askBatch(batch)
		samples = later
	}
}

const batchSize = 500

func nameOf(tree object) string {
	metadata, _ := tree["metadata"].(object)
	name, named := metadata["name"].(string)
	if !named || name == "" {
		return ""
	}
	return fmt.Sprint(tree["kind"], " ", name)
}

func (r *run) askBatch(samples []*sample) {
	folder, err := os.MkdirTemp("", "api-validation")
	must(err)
	defer os.RemoveAll(folder)
	for i, s := range samples {
		s.text = write(s.tree, s.asJSON)
		s.api = verdict(r.server, s.text)
		must(os.WriteFile(filepath.Join(folder, fileName(i)), s.text, 0o600))
	}
	refused := r.inputs(folder)
	for i, s := range samples {
		s.netpal = refused[fileName(i)]
	}
}

func fileName(i int) string { return fmt.Sprintf("%05d.yaml", i) }

// inputs answers the errors that `netpal inputs` has for each file of the folder, one a line.
func (r *run) inputs(folder string) map[string]string {
	command := exec.Command(r.netpal, "inputs", "-f", folder, "-o", "json", "--kubernetes", r.kubernetes)
	command.Dir = folder
	text, err := command.Output()
	if exit, failed := err.(*exec.ExitError); failed && exit.ExitCode() > 2 || err != nil && !failed {
		must(fmt.Errorf("%s: %w", r.netpal, err))
	}
	var answer struct {
		Diagnostics []struct {
			Severity, Code, Message string
			At                      struct {
				File         string
				Line, Column int
			}
		}
	}
	refused := map[string]string{}
	if len(text) == 0 {
		// nothing in the folder is an object: the program has an error to print and no answer
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			refused[fileName(0)] = strings.TrimSpace(string(exit.Stderr))
		}
		return refused
	}
	must(json.Unmarshal(text, &answer))
	for _, d := range answer.Diagnostics {
		name := filepath.Base(d.At.File)
		if d.Severity == "error" {
			if refused[name] != "" {
				refused[name] += "\n"
			}
			refused[name] += fmt.Sprintf("%s at %d:%d: %s", d.Code, d.At.Line, d.At.Column, d.Message)
		}
	}
	return refused
}

// What is particular to an object: where in it the fault lies, and what stands there.
var (
	labels  = regexp.MustCompile(`(matchLabels|labels|annotations)\.\S+: `)
	paths   = regexp.MustCompile(`\b(spec|metadata)(\.[A-Za-z]+|\[\d+\])*(\.[A-Za-z]+)(\[\d+\])*`)
	indexes = regexp.MustCompile(`\[\d+\]|\d+:\d+`)
	quoted  = regexp.MustCompile("`[^`]*`|\"[^\"]*\"|'[^']*'")
	figures = regexp.MustCompile(`\b[a-z]?\d+\b`)
)

// faultsOf lists what the side that refuses says, without what is particular to the object.
func faultsOf(s *sample) []string {
	side, message := "API: ", s.api
	if s.api == "" {
		side, message = "netpal: ", s.netpal
	}
	message = labels.ReplaceAllString(message, "$1: ")
	message = paths.ReplaceAllString(message, "$1 ..$3")
	message = indexes.ReplaceAllString(message, "[]")
	message = quoted.ReplaceAllString(message, "_")
	message = figures.ReplaceAllString(message, "0")
	var faults []string
	for _, line := range strings.Split(message, "\n") {
		if len(line) > 160 {
			line = line[:160]
		}
		faults = append(faults, side+line)
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

// shrink takes away, part by part, what the disagreement does not need. What is left shows a part
// of the faults that the whole has, never another one.
func (r *run) shrink(s *sample) *sample {
	best, faults := s, faultsOf(s)
	for again := true; again; {
		again = false
		for i := 0; i < len(places(best.tree)); i++ {
			tree := clone(best.tree).(object)
			remove(tree, places(tree)[i])
			smaller := &sample{tree: tree, asJSON: s.asJSON}
			r.ask([]*sample{smaller})
			if !smaller.agree() && (smaller.api == "") == (s.api == "") && within(faultsOf(smaller), faults) {
				best, again = smaller, true
				i--
			}
		}
	}
	return best
}

func within(some, all []string) bool {
	for _, one := range some {
		if !slices.Contains(all, one) {
			return false
		}
	}
	return true
}

func remove(root object, spot place) {
	if parent, ok := spot.parent.(object); ok {
		delete(parent, spot.key)
		return
	}
	items := spot.parent.(list)
	shorter := append(append(list{}, items[:spot.index]...), items[spot.index+1:]...)
	for _, p := range places(root) {
		if held, ok := p.get().(list); ok && len(held) == len(items) && len(held) > 0 && &held[0] == &items[0] {
			p.set(shorter)
			return
		}
	}
}

func clone(value any) any {
	switch value := value.(type) {
	case object:
		copied := object{}
		for key, inner := range value {
			copied[key] = clone(inner)
		}
		return copied
	case list:
		copied := make(list, len(value))
		for i, inner := range value {
			copied[i] = clone(inner)
		}
		return copied
	}
	return value
}
