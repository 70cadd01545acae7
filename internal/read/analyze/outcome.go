package analyze

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/deeplimit/deeplimit/runfolder"
)

// outcome is what became of one run folder: err, or unfinished, or run.
type outcome struct {
	runfolder.Member
	run        Run
	transfer   *runfolder.Transfer
	weights    [sha256.Size]byte // checksum of the weights as numbers
	unfinished bool
	prolong    string // of a cascade, as the configuration has it, which is dropped
	err        error

	keep   bool    // the layers, until the group is compared
	layers *layers // nil unless kept

	detail  *Detail // nil in a pass of Study
	shown   bool    // in the figure of weights
	divided bool    // with the partitions of its path
	sample  *PathSample
	missing error // why there is no sample

	at []reached // at the points of Options.At
}

func (o *outcome) meta() *runfolder.Meta { return &o.Run.Meta }

// diverged reports whether a finished run will enter no slope, as its result.json says.
func (o *outcome) diverged() bool {
	r := Run{Stop: o.Run.Summary.Stop, Loss: o.Run.Summary.Loss}
	return r.Diverged()
}

// readRun reads the other files of a finished run and measures it.
func (p *pass) readRun(o *outcome) {
	rows, err := o.Run.Trace()
	if err == nil && o.detail != nil {
		o.detail.trace(rows)
	}
	var weights runfolder.Weights
	if err == nil {
		weights, err = o.Run.Weights()
	}
	if err != nil {
		o.err = err
		return
	}
	states, err := o.Run.States()
	if err == nil {
		o.run, err = measure(o.Run, rows, weights, states, p.options)
		o.run.prolong = o.prolong
	}
	if err == nil && o.keep {
		o.layers, err = newLayers(o.meta(), weights)
	}
	if err != nil {
		o.err = fmt.Errorf("analyze: %s: %w", o.Dir, err)
		return
	}
	o.readPoints(rows, p.options)
	o.weights = fingerprint(weights)
	if o.err = o.readTransfer(); o.err == nil && o.detail != nil {
		o.readDetail(weights, states)
	}
}

// readTransfer reads what `deeplimit transfer` left. Numbers of other weights become a note.
func (o *outcome) readTransfer() error {
	transfer, err := o.Run.Transfer()
	_, system := errors.AsType[*fs.PathError](err)
	switch {
	case err == nil:
		o.transfer, o.run.TrendLoss = &transfer, finite(transfer.TrendLoss)
	case errors.Is(err, fs.ErrNotExist):
	case system:
		return err
	default:
		o.run.Notes = append(o.run.Notes, err.Error())
	}
	return nil
}
