package papers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/internal/cli"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// A Record holds what came out, by experiment. Its file is committed: the page is
// written from it, and what it says is reproduced must stay so.
type Record map[string]Outcome

// An Outcome is what came out of one experiment.
type Outcome struct {
	Claims  []Judged `json:"claims"`
	Figures []Figure `json:"figures,omitempty"`
	Studies []File   `json:"studies"`
	// Version is what `deeplimit version` prints, of the program that ran it.
	Version string `json:"version"`
	// Seconds is how long it took with that many cores; two runs differ in it alone.
	Seconds float64 `json:"seconds"`
	Cores   int     `json:"cores"`
}

// Judged is a measurement with its verdict, numbers to four digits.
type Judged struct {
	Key     string  `json:"key"`
	Case    string  `json:"case,omitempty"`
	Value   number  `json:"value"`
	Low     number  `json:"low"`
	High    number  `json:"high"`
	Want    string  `json:"want"`
	Note    string  `json:"note,omitempty"`
	Verdict Verdict `json:"verdict"`
}

// A Figure of the page, relative to the folder of figures.
type Figure struct {
	File    string `json:"file"`
	Title   string `json:"title"`
	Caption string `json:"caption"`
	Alt     string `json:"alt"`
}

// A File is a study file with its content's hash and the seeds it asks for.
type File struct {
	Path   string   `json:"path"`
	SHA256 string   `json:"sha256"`
	Seeds  []uint64 `json:"seeds"`
}

// number is a float64 of which JSON has four digits, and null where it is not finite.
type number float64

func (v number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(v), 'g', 4, 64), nil
}

func (v *number) UnmarshalJSON(data []byte) error {
	var read *float64
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*v = number(math.NaN())
	if read != nil {
		*v = number(*read)
	}
	return nil
}

// A Size says where a version of the experiments puts what it makes.
type Size struct {
	Small   bool
	Runs    string // the study folders
	Figures string
	Record  string
	Keep    bool // go on with study folders that are there
}

// The two sizes: the full one, which takes minutes, and one of seconds, which goes
// through the same code.
var (
	FullSize  = Size{Runs: fullRuns, Figures: "docs/figures/papers", Record: "experiments/record.json"}
	SmallSize = Size{Small: true, Runs: "runs/papers-small", Figures: "runs/papers-small/figures", Record: "experiments/small.json"}
)

const (
	fullRuns = "runs/papers"
	// Page is written from the record of the full size.
	Page = "docs/papers.md"
)

// figureResolution keeps a figure at some tens of kilobytes.
const figureResolution = 110 // dots per inch

// Run runs the steps of an experiment and judges its claims; what is done and found goes
// to log.
func (e *Experiment) Run(ctx context.Context, size Size, log io.Writer) (Outcome, error) {
	start := time.Now()
	if !size.Keep {
		if err := e.clear(size.Runs); err != nil {
			return Outcome{}, fmt.Errorf("papers: %s: %w", e.Name, err)
		}
	}
	b := &Bench{ctx: ctx, runs: size.Runs, studies: map[string]*analyze.Folder{}}
	if err := b.do(e, size.Small, log); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Cores: runtime.GOMAXPROCS(0)}
	for _, claim := range e.Claims {
		found, err := claim.Measure(b)
		if err == nil && len(found) == 0 {
			err = errors.New("got no measurement, want one")
		}
		if err != nil {
			return Outcome{}, fmt.Errorf("papers: %s: %s: %w", e.Name, claim.Key, err)
		}
		for _, m := range found {
			j := Judged{claim.Key, m.Case, number(m.Value), number(m.Low), number(m.High), claim.Want.String(), m.Note, claim.Want.Judge(m)}
			out.Claims = append(out.Claims, j)
			fmt.Fprintf(log, "  %-15s %s %s: %s, want %s\n", j.Verdict, j.Key, j.Case, j.interval(), j.Want)
		}
	}
	if err := e.draw(b, &out, size.Figures); err != nil {
		return Outcome{}, err
	}
	out.Seconds = math.Round(10*time.Since(start).Seconds()) / 10
	return out, e.identify(&out, size.Runs)
}

// draw writes the figures.
func (e *Experiment) draw(b *Bench, out *Outcome, folder string) error {
	if e.Figures == nil {
		return nil
	}
	figures, err := e.Figures(b)
	if err != nil {
		return fmt.Errorf("papers: %s: figures: %w", e.Name, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range figures {
		png, err := f.PNG(figureResolution)
		if err != nil {
			return fmt.Errorf("papers: %s: figure %s: %w", e.Name, f.Name, err)
		}
		name := f.Name + ".png"
		if !strings.HasPrefix(name, e.Name) {
			name = e.Name + "-" + name
		}
		if slices.ContainsFunc(out.Figures, func(other Figure) bool { return other.File == name }) {
			return fmt.Errorf("papers: %s: got two figures %s, want names that differ", e.Name, name)
		}
		if err := disk.WriteBytes(filepath.Join(folder, name), png); err != nil {
			return err
		}
		out.Figures = append(out.Figures, Figure{name, f.Title, f.Caption, f.Alt})
	}
	return nil
}

// identify says what was run.
func (e *Experiment) identify(out *Outcome, runs string) error {
	files, err := e.studies(runs)
	if err != nil {
		return err
	}
	for _, file := range files {
		s, err := study.Load(file, nil)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(s.Text)
		out.Studies = append(out.Studies, File{file, hex.EncodeToString(sum[:]), s.Seeds})
	}
	var version bytes.Buffer
	if code := cli.Main([]string{"version"}, &version, &version); code != 0 {
		return fmt.Errorf("papers: deeplimit version: %s", version.String())
	}
	out.Version = strings.TrimSpace(version.String())
	return nil
}

// ReadRecord reads a record; a missing file is an empty one.
func ReadRecord(path string) (Record, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, nil
	}
	if err != nil {
		return nil, err
	}
	r := Record{}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("papers: %s: %w", path, err)
	}
	return r, nil
}

// Write writes the record, sorted by experiment.
func (r Record) Write(path string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(r); err != nil {
		return err
	}
	return disk.WriteBytes(path, text.Bytes())
}

// Lost returns the claims that were reproduced before and are not now, those that are
// no longer made among them.
func Lost(before, now Outcome) []string {
	verdicts := map[[2]string]Verdict{}
	for _, j := range now.Claims {
		verdicts[[2]string{j.Key, j.Case}] = j.Verdict
	}
	var lost []string
	for _, j := range before.Claims {
		if v := verdicts[[2]string{j.Key, j.Case}]; j.Verdict == Reproduced && v != Reproduced {
			if v == "" {
				v = "no longer measured"
			}
			lost = append(lost, fmt.Sprintf("%s %s: was reproduced, now %s", j.Key, j.Case, v))
		}
	}
	return lost
}
