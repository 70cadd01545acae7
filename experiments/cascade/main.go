// Command cascade prints what a cascade over depth costs beside training at the last depth from the start: layer-iterations,
// seconds, losses, and how far the weights that the two end at are from each other. docs/cascade.md has its table.
//
//	go run ./experiments/cascade [-direct=false] [-out DIR] STUDY.yaml...
package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/deeplimit/deeplimit/internal/cli"
	"github.com/deeplimit/deeplimit/runfolder"
)

func main() {
	out := flag.String("out", "runs/cascade", "folder of the study folders")
	direct := flag.Bool("direct", true, "train at the last depth, too")
	flag.Parse()
	if err := all(*out, *direct, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "cascade:", err)
		os.Exit(1)
	}
}

// ways are the cascades that are compared with training at the last depth, by what they set.
var ways = []string{"stretch", "linear", "limit"}

// all prints a row for each study and way.
func all(out string, direct bool, files []string) error {
	fmt.Println("| study | way | iterations | layer-iterations | layer-evaluations | seconds | loss | test loss | test accuracy | direct / cascade | distance of weights | of displacements |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		var whole []*runfolder.Run
		if direct {
			runs, err := trained(file, filepath.Join(out, name+"-direct"), "train.cascade=null")
			if err != nil {
				return err
			}
			whole = runs
			if err := rows(name, "direct", runs, nil); err != nil {
				return err
			}
		}
		for _, way := range ways {
			runs, err := trained(file, filepath.Join(out, name+"-"+way), "train.cascade.prolong="+way)
			if err != nil {
				return err
			}
			if err := rows(name, way, runs, whole); err != nil {
				return err
			}
		}
	}
	return nil
}

// trained runs a study with a setting, and returns its runs, which differ in the seed alone.
func trained(file, out, set string) ([]*runfolder.Run, error) {
	if code := cli.Main([]string{"run", file, "--out", out, "--no-report", "--set", set}, os.Stderr, os.Stderr); code != 0 {
		return nil, fmt.Errorf("%s with %s: exit code %d", file, set, code)
	}
	manifest, err := runfolder.ReadManifest(out)
	if err != nil {
		return nil, err
	}
	var runs []*runfolder.Run
	for _, entry := range manifest.Runs {
		run, err := runfolder.Open(runfolder.RunDir(out, entry.ID))
		if err != nil {
			return nil, err
		}
		if run.Meta.Depth != manifest.Runs[0].Depth || run.Meta.Group != manifest.Runs[0].Group {
			return nil, fmt.Errorf("%s: got runs of several depths or settings, want runs that differ in the seed alone", file)
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// rows prints runs, each beside training at the last depth from the same seed where there is that.
func rows(study, way string, runs, direct []*runfolder.Run) error {
	for i, run := range runs {
		var whole *runfolder.Run
		if direct != nil {
			whole = direct[i]
		}
		name := study
		if len(runs) > 1 {
			name = fmt.Sprintf("%s, seed %d", study, run.Meta.Seed)
		}
		if err := row(name, way, run, whole); err != nil {
			return err
		}
	}
	return nil
}

// row prints one run, beside training at the last depth where there is that.
func row(study, way string, run, direct *runfolder.Run) error {
	s := run.Summary
	evaluations, test, accuracy := "–", "–", "–"
	if s.LayerEvaluations != nil {
		evaluations = fmt.Sprint(*s.LayerEvaluations)
	}
	if s.TestLoss != nil {
		test = fmt.Sprintf("%.3g", *s.TestLoss)
	}
	trace, err := run.Trace()
	if err != nil {
		return err
	}
	if last := trace[len(trace)-1].TestAccuracy; last != nil {
		accuracy = fmt.Sprintf("%.3f", *last)
	}
	ratio, weights, moved := "", "", ""
	if direct != nil {
		ratio = fmt.Sprintf("%.0f", float64(direct.LayerIterations())/float64(run.LayerIterations()))
		if direct.Summary.Loss > 1.01*s.Loss && direct.Summary.Stop != "loss" {
			ratio = "> " + ratio
		}
		if weights, err = distances(run, direct, false); err != nil {
			return err
		}
		if moved, err = distances(run, direct, true); err != nil {
			return err
		}
	}
	_, err = fmt.Printf("| %s | %s | %d (%s) | %d | %s | %.1f | %.3g | %s | %s | %s | %s | %s |\n",
		study, way, s.Iterations, s.Stop, run.LayerIterations(), evaluations, s.Seconds, s.Loss, test, accuracy, ratio, weights, moved)
	return err
}

// distances returns ‖X − Y‖/‖Y‖ of the weights of each part of two runs, or of their displacements.
func distances(run, direct *runfolder.Run, displacement bool) (string, error) {
	x, err := run.Weights()
	if err != nil {
		return "", err
	}
	y, err := direct.Weights()
	if err != nil {
		return "", err
	}
	var texts []string
	for _, part := range []string{"A", "V", "W"} {
		a, b := x.Tensors[part].Data, y.Tensors[part].Data
		if len(a) == 0 {
			continue
		}
		if len(a) != len(b) {
			return "", errors.New("weights of two depths")
		}
		apart, size := 0.0, 0.0
		for i := range a {
			v, w := a[i], b[i]
			if displacement {
				v, w = v-x.Tensors[part+"_initial"].Data[i], w-y.Tensors[part+"_initial"].Data[i]
			}
			apart, size = apart+(v-w)*(v-w), size+w*w
		}
		texts = append(texts, fmt.Sprintf("%s %.3f", part, math.Sqrt(apart/size)))
	}
	return strings.Join(texts, ", "), nil
}
