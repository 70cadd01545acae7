package kernelproof

import (
	"context"
	"fmt"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/tangent"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Study proves what holds for the last iterate of each finished run of a study, and stores it in kernel.json of the run. A run that has
// what options ask for is left alone; so a study that was interrupted goes on where it stopped. Runs that are not finished are returned.
func Study(ctx context.Context, dir string, options Options) (unfinished []string, err error) {
	dirs, err := runfolder.List(dir)
	if err != nil {
		return nil, err
	}
	note := options.Progress
	for i, path := range dirs {
		run, err := runfolder.Open(path)
		if err != nil {
			return unfinished, err
		}
		if !run.Done() {
			unfinished = append(unfinished, run.Meta.ID)
			continue
		}
		if stored, err := run.Kernel(); err == nil && stored != nil && options.answered(stored) {
			continue
		}
		if note != nil {
			options.Progress = func(text string) { note(fmt.Sprintf("run %d of %d, %s", i+1, len(dirs), text)) }
		}
		k, err := Prove(ctx, run, options)
		if err != nil {
			return unfinished, err
		}
		if err := run.WriteKernel(k); err != nil {
			return unfinished, err
		}
	}
	return unfinished, nil
}

// answered says whether k is what Prove with these options returned.
func (o Options) answered(k *certify.Kernel) bool {
	bound := o.Bound == tangent.Auto || k.Bound == o.Bound || k.Bound == tangent.Full && o.Bound == "" || k.Bound == ""
	step := k.Descent.Step == nil && (o.Step == 0 || k.NewtonStep == nil) // a refusal or a singular kernel is one for every step
	if s := k.Descent.Step; s != nil {
		step = *s == o.Step || o.Step == 0 && k.Descent.StepMax != nil && *s == *k.Descent.StepMax
	}
	return bound && step && (k.Polish != nil) == o.Polish
}
