package importer

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// A role is what a number in the name of a checkpoint counts.
type role int

const (
	unknown role = iota
	isDepth
	isSeed
	isStep
	isPart   // of a network that several processes held
	isResult // such as a loss, which a name may hold and which tells no runs apart
)

// roles are the words before a number that say what it counts.
var roles = wordRoles(map[role]string{
	isDepth: "l depth depths layer layers nlayer nlayers block blocks",
	isSeed:  "s seed seeds rng run trial rep replica replicate repeat repetition member",
	isStep: "step steps gstep iter iters iteration iterations itr it ckpt ckpts chkpt chk cp checkpoint checkpoints " +
		"epoch epochs ep update updates upd token tokens batch batches round rounds snapshot time tick kimg",
	isPart:   "rank shard part tp pp consolidated",
	isResult: "loss acc accuracy val ppl score err error metric",
})

func wordRoles(words map[role]string) map[string]role {
	all := map[string]role{}
	for r, text := range words {
		for _, word := range strings.Fields(text) {
			all[word] = r
		}
	}
	return all
}

// A number is one in the name of a checkpoint.
type number struct {
	from, to int // its bytes in the name
	role     role
	word     string // that gave the role
	text     string
	value    float64
}

// A naming is what the name of a checkpoint says about it.
type naming struct {
	name    string // path below the folder that all checkpoints share, with slashes
	numbers []number
	// settings are the values of other marks of Options.Names.
	settings map[string]string
	seed     string // by a mark of Options.Names
	given    bool   // by Options.Names: nothing is guessed
}

var (
	// numberText is a number with the word before it.
	numberText = regexp.MustCompile(`(?:([A-Za-z]+)[=_\-. ]?)?([0-9]+(?:\.[0-9]+)?)`)
	// behindText is a word right behind a number that is not the one before the next.
	behindText = regexp.MustCompile(`^([A-Za-z]+)(?:[^A-Za-z0-9]*$|[^A-Za-z0-9]+[A-Za-z])`)
)

// readNaming finds the numbers in a name and what the words beside them say.
func readNaming(name string) naming {
	n := naming{name: name}
	text := strings.ReplaceAll(name[:len(name)-len(filepath.Ext(name))], "_", " ") // global_step is two words
	for _, at := range numberText.FindAllStringSubmatchIndex(text, -1) {
		found := number{from: at[4], to: at[5], text: text[at[4]:at[5]]}
		found.value, _ = strconv.ParseFloat(found.text, 64)
		before, behind := "", ""
		if at[2] >= 0 {
			before = lastWord(text[at[2]:at[3]])
		}
		if match := behindText.FindStringSubmatch(text[at[5]:]); match != nil {
			behind = strings.ToLower(match[1])
		}
		factor := map[string]float64{"k": 1e3, "m": 1e6, "b": 1e9}[behind]
		found.role, found.word = roles[before], before
		if found.role == unknown {
			found.role, found.word = roles[behind], behind
		}
		if factor != 0 && found.role == isStep {
			found.value *= factor
			found.to, found.text = found.to+1, name[found.from:found.to+1]
		}
		n.numbers = append(n.numbers, found)
	}
	return n
}

// lastWord returns the last word of letters in small ones: step of ModelStep and of STEP.
func lastWord(letters string) string {
	if strings.ToUpper(letters) != letters {
		if i := strings.LastIndexFunc(letters, func(r rune) bool { return r >= 'A' && r <= 'Z' }); i > 0 {
			letters = letters[i:]
		}
	}
	return strings.ToLower(letters)
}

// mark is one in a pattern of names: {depth}, {seed}, {step}, or a setting.
var mark = regexp.MustCompile(`\\\{([a-z][a-z0-9_]*)\\\}|\\\*`)

// compileNames returns the expression of Options.Names, whose groups are its marks.
func compileNames(pattern string) (*regexp.Regexp, error) {
	refuse := func(got string) error {
		return &field.Error{Path: "names", Got: got, Want: "a name with {depth}, {seed}, {step} and * such as 'L{depth}-seed{seed}.pt', each once"}
	}
	seen := map[string]bool{}
	twice := false
	text := mark.ReplaceAllStringFunc(regexp.QuoteMeta(filepath.ToSlash(pattern)), func(m string) string {
		name := strings.Trim(m, `\{}`)
		switch {
		case name == "*":
			return `[^/]*?`
		case seen[name]:
			twice = true
		}
		seen[name] = true
		if name == "depth" || name == "step" {
			return `(?P<` + name + `>[0-9]+)`
		}
		return `(?P<` + name + `>[^/]+?)`
	})
	if twice {
		return nil, refuse(pattern)
	}
	expression, err := regexp.Compile(`(?:^|/)` + text + `$`)
	if err != nil {
		return nil, refuse(pattern)
	}
	return expression, nil
}

// readGiven reads a name by Options.Names.
func readGiven(expression *regexp.Regexp, path string) (naming, error) {
	path = filepath.ToSlash(path)
	n := naming{name: path, given: true, settings: map[string]string{}}
	match := expression.FindStringSubmatch(path)
	if match == nil {
		return n, &field.Error{Path: "names", Got: plain.Text(path), Want: "a name that the pattern fits, as it has to fit those of all checkpoints"}
	}
	for i, name := range expression.SubexpNames() {
		switch name {
		case "":
		case "seed":
			n.seed = match[i]
		case "depth", "step":
			value, err := strconv.ParseFloat(match[i], 64)
			if err != nil || value > 1<<53 {
				return n, &field.Error{Path: "names", Got: match[i], Want: "a number for {" + name + "}"}
			}
			n.numbers = append(n.numbers, number{role: roles[name], word: name, text: match[i], value: value})
		default:
			n.settings[name] = match[i]
		}
	}
	return n, nil
}

// readNamings reads the names of all checkpoints.
func readNamings(found []checkpoint, pattern string) ([]naming, error) {
	namings := make([]naming, len(found))
	if pattern != "" {
		expression, err := compileNames(pattern)
		if err != nil {
			return nil, err
		}
		for i, c := range found {
			if namings[i], err = readGiven(expression, c.path); err != nil {
				return nil, err
			}
		}
		return namings, nil
	}
	paths := make([]string, len(found))
	for i, c := range found {
		paths[i] = filepath.ToSlash(filepath.Clean(c.path))
	}
	for i, name := range below(paths) {
		namings[i] = readNaming(name)
	}
	return namings, nil
}

// below takes the folders off that all paths share; of a single path two parts are left, as
// in checkpoint-500/model.safetensors.
func below(paths []string) []string {
	parts := make([][]string, len(paths))
	for i, path := range paths {
		parts[i] = strings.Split(path, "/")
	}
	shared := max(len(parts[0])-2, 0)
	if len(parts) > 1 {
		shared = len(parts[0]) - 1
		for _, other := range parts[1:] {
			same := 0
			for same < min(shared, len(other)-1) && other[same] == parts[0][same] {
				same++
			}
			shared = same
		}
	}
	names := make([]string, len(paths))
	for i := range parts {
		names[i] = strings.Join(parts[i][shared:], "/")
	}
	return names
}

// first returns the number of a role, nil when the name has none; the last one counts,
// as the name of a file is closer to it than that of its folder.
func (n *naming) first(r role) *number {
	for i := range slices.Backward(n.numbers) {
		if n.numbers[i].role == r {
			return &n.numbers[i]
		}
	}
	return nil
}

// steps returns the numbers that count time, by their word.
func (n *naming) steps() map[string]number {
	steps := map[string]number{}
	for _, x := range n.numbers {
		if x.role == isStep {
			steps[x.word] = x
		}
	}
	return steps
}

// template returns the name without its extension and the numbers whose role is known; of
// the others each is replaced by a mark when open is set.
func (n *naming) template(open bool) string {
	if n.given {
		return ""
	}
	var text strings.Builder
	at := 0
	for _, x := range n.numbers {
		if x.role == unknown && !open {
			continue
		}
		text.WriteString(n.name[at:x.from])
		text.WriteByte(0)
		at = x.to
	}
	text.WriteString(n.name[at:max(at, len(n.name)-len(filepath.Ext(n.name)))])
	return text.String()
}

// settleUnknown gives numbers without a word their role where there is no choice: one
// that is the depth of every checkpoint whose name is of the same form.
func settleUnknown(namings []naming, depths []int) {
	forms := map[string][]int{}
	for i := range namings {
		form := namings[i].template(true)
		forms[form] = append(forms[form], i)
	}
	for _, members := range forms {
		for k := range namings[members[0]].numbers {
			agrees := !slices.ContainsFunc(members, func(i int) bool {
				x := namings[i].numbers[k]
				return x.role != unknown || x.value != float64(depths[i])
			})
			for _, i := range members {
				if agrees {
					namings[i].numbers[k].role = isDepth
				}
			}
		}
	}
}

// depthNote says that a name speaks of another depth than was found, "" when it does not.
func (n *naming) depthNote(depth int) string {
	if x := n.first(isDepth); x != nil && x.value != float64(depth) {
		return fmt.Sprintf("its name says depth %s, and %d layers were found", x.text, depth)
	}
	return ""
}

// seedNumber returns the seed that a name gives.
func (n *naming) seedNumber() (seed uint64, ok bool) {
	text := n.seed
	if x := n.first(isSeed); x != nil {
		text = cmp.Or(text, x.text)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	return seed, err == nil && seed <= math.MaxInt64
}
