package sweep

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/runfolder"
)

// growing are studies, without a stop, whose runs go on where an earlier end left them.
var growing = map[string]string{
	"gd":            "train: {step: {value: 8}",
	"certified":     "data: {kind: separated, width: 10, samples: 1, distance: 0.3}\ntrain: {step: {rule: certified}",
	"curvature":     "train: {step: {value: 8}, certify: {cadence: all, curvature: true, gram: true}",
	"kernel":        "train: {step: {value: 8}, certify: {kernel: true}",
	"armijo":        "train: {step: {rule: armijo, value: 64}",
	"decay":         "train: {step: {schedule: decay, every: 5}",
	"warmup":        "train: {step: {warmup: 2}",
	"penalty":       "train: {step: {value: 0.1}, penalty: {l2: 0.1, increments: 0.02, p: 1.5}",
	"clipped":       "train: {weight-decay: 1e-4, clip: 10",
	"sign":          "train: {method: sign",
	"sgd":           "train: {method: sgd, batch: 3",
	"sgd certified": "train: {method: sgd, batch: 3, certify: {cadence: growing}",
	"momentum":      "train: {method: momentum, keep-state: true",
	"nesterov":      "train: {method: nesterov, keep-state: true",
	"adam":          "train: {method: adam, batch: 5, keep-state: true",
	"adamw":         "train: {method: adamw, clip: 0.5, keep-state: true",
	"lion":          "train: {method: lion, keep-state: true",
	"muon":          "train: {method: muon, step: {value: 0.1}, keep-state: true",
	"newton":        "train: {method: levenberg-marquardt, keep-state: true",
	"float32":       "dtype: float32\ntrain: {step: {value: 8}",
	"float32 adam":  "dtype: float32\ntrain: {method: adam, batch: 3, keep-state: true",
	"trained":       "network: {block: mlp, hidden: 7, bias: true, residual: layered, embed: trained, readout: trained}\ntrain: {step: {value: 0.5}",
	"shared":        "network: {residual: shared}\ntrain: {step: {value: 0.5}",
	"norms off":     "train: {norms: off, certify: {cadence: off}",
	"records":       "train: {variation: 3, coordinates: true, record: {losses: [1e-3, 1e-5]}",
	"plateau":       "train: {step: {value: 1e-9}",
	"diverging":     "train: {step: {value: 1e5}",
	"held out":      "data: {kind: digits, samples: 20, test: 10}\nnetwork: {loss: cross-entropy}\ntrain: {step: {value: 1}",
}

// TestGrowingKeepsBytes wants a run that goes on from one that ended earlier to leave the bytes of a run
// from the start, in every file but for times: for each method and rule, where iterations end it, where
// the loss does, and over three ends.
func TestGrowingKeepsBytes(t *testing.T) {
	stops := map[string][]string{
		"iterations": {"iterations: 9", "iterations: 17", "iterations: 41"},
		"loss":       {"loss: 1e-3, iterations: 60", "loss: 1e-5, iterations: 60"},
		"loss later": {"iterations: 2", "iterations: 60, loss: 1e-4"},
	}
	for name, text := range growing {
		for kind, ends := range stops {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				study := func(stop string) string {
					more := ""
					if name == "plateau" {
						more = ", plateau: 12"
					}
					whole := "name: s\ndepths: [16]\n" + text + ", stop: {" + stop + more + "}}\n"
					if !strings.Contains(text, "data:") {
						whole += "data: {kind: separated, width: 10, samples: 8, distance: 0.3}\n"
					}
					return whole
				}
				grown, fresh := filepath.Join(t.TempDir(), "grown"), filepath.Join(t.TempDir(), "fresh")
				for i, stop := range ends {
					p := plantest.New(t, "s.yaml", study(stop))
					var told []string
					report, err := Run(t.Context(), p, Options{Out: grown, Workers: 1, Observe: func(e Event) {
						switch e.Kind {
						case GoesOn:
							told = append(told, "goes on")
						case Anew, Warned:
							told = append(told, e.Kind+": "+e.Err.Error())
						}
					}})
					if err != nil || report.Done != 1 || len(report.Failed) > 0 {
						t.Fatalf("got %+v, %v, want the run done", report, err)
					}
					want := []string{"goes on"}
					if i == 0 {
						want = nil
					}
					if diff := cmp.Diff(want, told); diff != "" {
						t.Errorf("stop {%s} (-want +got):\n%s", stop, diff)
					}
					if _, err := Run(t.Context(), p, Options{Out: fresh, Workers: 1}); err != nil {
						t.Fatal(err)
					}
				}
				last := plantest.New(t, "s.yaml", study(ends[len(ends)-1])).Runs[0].ID
				sameFiles(t, runfolder.RunDir(grown, last), runfolder.RunDir(fresh, last))
			})
		}
	}
}

// grow runs a study with each of some train sections, one after the other in one folder, and returns what
// became of the run of the last.
func grow(t *testing.T, out string, sections ...string) (told []string, id string) {
	t.Helper()
	for _, section := range sections {
		p := plantest.New(t, "s.yaml", "name: s\ndepths: [4]\ndata: {kind: separated, width: 4, samples: 4, distance: 0.3}\ntrain: "+section+"\n")
		told, id = nil, p.Runs[0].ID
		report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Observe: func(e Event) {
			switch e.Kind {
			case GoesOn:
				told = append(told, fmt.Sprint("from ", e.Source.Iteration))
			case Anew, Warned:
				told = append(told, e.Kind+": "+e.Err.Error())
			}
		}})
		if err != nil || report.Done != 1 || len(report.Failed) > 0 {
			t.Fatalf("%s: got %+v, %v, want the run done", section, report, err)
		}
	}
	return told, id
}

// TestStartsAnew wants a run that would not pass through the last iterate of an earlier one to start anew and to
// say why, and none to say so where nothing could have been gone on from.
func TestStartsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		sections []string
		want     string
	}{
		"cosine":                     {[]string{"{step: {schedule: cosine}, stop: {iterations: 9}}", "{step: {schedule: cosine}, stop: {iterations: 17}}"}, "schedule cosine"},
		"cosine with a later loss":   {[]string{"{step: {schedule: cosine}, stop: {iterations: 17, loss: 1e-2}}", "{step: {schedule: cosine}, stop: {iterations: 17, loss: 1e-9}}"}, "from"},
		"decay that follows the end": {[]string{"{step: {schedule: decay}, stop: {iterations: 9}}", "{step: {schedule: decay}, stop: {iterations: 18}}"}, "train.step.every, which is 6 and was 3"},
		"no state":                   {[]string{"{method: adam, stop: {iterations: 9}}", "{method: adam, stop: {iterations: 17}}"}, "keep-state: true"},
		"state kept too late":        {[]string{"{method: adam, stop: {iterations: 9}}", "{method: adam, keep-state: true, stop: {iterations: 17}}"}, "did not keep"},
		"cascade":                    {[]string{"{cascade: {from: 1}, stop: {iterations: 9}}", "{cascade: {from: 1}, stop: {iterations: 17}}"}, "train.cascade"},
		"earlier end":                {[]string{"{stop: {iterations: 17}}", "{stop: {iterations: 9}}"}, "before iteration 17"},
		"loss reached before":        {[]string{"{stop: {iterations: 40}}", "{stop: {iterations: 60, loss: 1e-2}}"}, "went on"},
		"loss perhaps reached":       {[]string{"{step: {value: 0.001}, stop: {iterations: 2500}}", "{step: {value: 0.001}, stop: {iterations: 2600, loss: 1e-9}}"}, "leaves iterations out"},
		"another step":               {[]string{"{step: {value: 1}, stop: {iterations: 9}}", "{step: {value: 2}, stop: {iterations: 17}}"}, ""},
		"another interval of decay":  {[]string{"{step: {schedule: decay, every: 3}, stop: {iterations: 9}}", "{step: {schedule: decay, every: 4}, stop: {iterations: 9}}"}, ""},
		"no step made":               {[]string{"{stop: {iterations: 0}}", "{stop: {iterations: 9}}"}, ""},
		"the latest of two":          {[]string{"{stop: {iterations: 5}}", "{stop: {iterations: 9}}", "{stop: {iterations: 30}}", "{stop: {iterations: 17}}"}, "from 9"},
		"a thinned trace":            {[]string{"{step: {value: 0.001}, stop: {iterations: 2500}}", "{step: {value: 0.001}, stop: {iterations: 2600}}"}, "from 2500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grown, fresh := filepath.Join(t.TempDir(), "grown"), filepath.Join(t.TempDir(), "fresh")
			told, id := grow(t, grown, c.sections...)
			switch all := strings.Join(told, "; "); {
			case c.want == "" && all != "", !strings.Contains(all, c.want), strings.HasPrefix(all, "from") != strings.HasPrefix(c.want, "from"):
				t.Errorf("got %q, want %q", all, c.want)
			}
			grow(t, fresh, c.sections[len(c.sections)-1])
			sameFiles(t, runfolder.RunDir(grown, id), runfolder.RunDir(fresh, id))
		})
	}
}

// TestGrowingSurvives damages, takes away and leaves unfinished what a run goes on from: each ends with the
// bytes of a run from the start.
func TestGrowingSurvives(t *testing.T) {
	const first, second = "{stop: {iterations: 9}}", "{stop: {iterations: 40}}"
	fresh := filepath.Join(t.TempDir(), "fresh")
	_, id := grow(t, fresh, second)
	for name, damage := range map[string]func(t *testing.T, out, from string) string{
		"nothing":    func(*testing.T, string, string) string { return "from 9" },
		"state":      func(t *testing.T, _, from string) string { overwrite(t, from, "end.safetensors"); return "damaged" },
		"weights":    func(t *testing.T, _, from string) string { overwrite(t, from, "weights.safetensors"); return "damaged" },
		"trace":      func(t *testing.T, _, from string) string { overwrite(t, from, "trace.parquet"); return "damaged" },
		"norms":      func(t *testing.T, _, from string) string { overwrite(t, from, "norms.safetensors"); return "damaged" },
		"promises":   func(t *testing.T, _, from string) string { overwrite(t, from, "promises.parquet"); return "damaged" },
		"result":     func(t *testing.T, _, from string) string { overwrite(t, from, "result.json"); return "" },
		"taken away": func(t *testing.T, _, from string) string { must(t, os.RemoveAll(from)); return "" },
		"interrupted": func(t *testing.T, out, from string) string {
			p := plantest.New(t, "s.yaml", "name: s\ndepths: [4]\ndata: {kind: separated, width: 4, samples: 4, distance: 0.3}\ntrain: "+second+"\n")
			for _, at := range []int64{9, 20} { // before its first checkpoint, and from that
				ctx, cancel := context.WithCancel(t.Context())
				if _, err := Run(ctx, p, Options{Out: out, Workers: 1, Observe: func(e Event) {
					if e.Kind == Advanced && e.Row.Iteration == at {
						cancel()
					}
				}}); err != nil {
					t.Fatal(err)
				}
			}
			must(t, os.RemoveAll(from)) // it has a checkpoint of its own now
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			_, earlier := grow(t, out, first)
			want := damage(t, out, runfolder.RunDir(out, earlier))
			told, _ := grow(t, out, second)
			if all := strings.Join(told, "; "); !strings.Contains(all, want) || want == "" && all != "" {
				t.Errorf("got %q, want %q", all, want)
			}
			sameFiles(t, runfolder.RunDir(out, id), copyOf(t, runfolder.RunDir(fresh, id)))
		})
	}
}

// overwrite damages a byte in the middle of a file.
func overwrite(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	must(t, err)
	data[len(data)/2] ^= 1
	must(t, os.WriteFile(path, data, 0o644))
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sameFiles compares every file of two finished runs but for times: those of run.json and result.json, and
// the column of the trace with its checksum.
func sameFiles(t *testing.T, got, want string) {
	t.Helper()
	runs := [2]*runfolder.Run{}
	for i, dir := range []string{got, want} {
		if err := runfolder.Verify(dir); err != nil {
			t.Fatal(err)
		}
		run, err := runfolder.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := run.Trace()
		if err != nil {
			t.Fatal(err)
		}
		for k := range rows {
			rows[k].Seconds = 0
		}
		trace := filepath.Join(dir, "trace.parquet")
		if err := runfolder.WriteTrace(trace, rows); err != nil {
			t.Fatal(err)
		}
		run.Dir, run.Meta.Start, run.Meta.End = "", time.Time{}, time.Time{}
		run.Summary.Seconds, run.Summary.Checksum = 0, ""
		for k := range run.Summary.Levels {
			run.Summary.Levels[k].Seconds = 0
		}
		delete(run.Summary.SHA256, "trace.parquet")
		delete(run.Summary.SHA256, "run.json")
		runs[i] = run
	}
	if diff := cmp.Diff(runs[1], runs[0]); diff != "" {
		t.Errorf("run.json or result.json (-want +got):\n%s", diff)
	}
	names := func(dir string) (list []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	if diff := cmp.Diff(names(want), names(got)); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	for _, name := range names(want) {
		if name == "run.json" || name == "result.json" {
			continue
		}
		a, err := os.ReadFile(filepath.Join(got, name))
		b, failed := os.ReadFile(filepath.Join(want, name))
		if err != nil || failed != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs (%v, %v)", name, err, failed)
		}
	}
}
