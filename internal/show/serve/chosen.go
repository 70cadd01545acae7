package serve

import (
	"errors"
	"io/fs"
	"math"
	"net/http"

	"github.com/deeplimit/deeplimit/runfolder"
)

// maxChosen bounds the runs that one chart compares, a line each.
const maxChosen = 50

// chosenCurves answers a query for the curves of the runs that it chooses.
type chosenCurves struct {
	Curves   []chosenCurve `json:"curves"`
	Columns  []columnInfo  `json:"columns"`
	Matching int           `json:"matching"` // runs that the query chooses; the first maxChosen in its order have curves
	Test     bool          `json:"test"`     // whether accuracies are of the test set
	Notes    []string      `json:"notes,omitempty"`
}

// A chosenCurve has the loss of one run, and its accuracy if it learns a classification.
type chosenCurve struct {
	runInfo
	Losses   curve  `json:"losses"`
	Accuracy *curve `json:"accuracy,omitempty"`
}

// chosen answers with the curves of the first runs that a query chooses.
func (s *Server) chosen(r *http.Request) (any, error) {
	study, seen, runs, err := s.asked(r)
	if err != nil {
		return nil, err
	}
	answer := chosenCurves{Curves: []chosenCurve{}, Columns: seen.varying, Matching: len(runs)}
	accuracies := make([][2]*curve, 0, maxChosen) // of the training and the test set; the rows themselves are many
	for _, run := range runs[:min(len(runs), maxChosen)] {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		rows, err := study.rows(run)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // removed a moment ago
			answer.Notes = append(answer.Notes, err.Error())
		}
		answer.Curves = append(answer.Curves, chosenCurve{runInfo: newRunInfo(run), Losses: newDenseCurve(runfolder.Losses(rows))})
		train := accuracyOf(rows, func(r *runfolder.Row) *float64 { return r.Accuracy })
		test := accuracyOf(rows, func(r *runfolder.Row) *float64 { return r.TestAccuracy })
		accuracies = append(accuracies, [2]*curve{train, test})
		answer.Test = answer.Test || test != nil
	}
	of := 0
	if answer.Test {
		of = 1
	}
	for i, accuracy := range accuracies {
		answer.Curves[i].Accuracy = accuracy[of]
	}
	return answer, nil
}

// accuracyOf returns an accuracy over the iterations that have it, nil where none has.
func accuracyOf(rows []runfolder.Row, value func(*runfolder.Row) *float64) *curve {
	iterations, values := runfolder.Series(rows, value)
	if len(values) == 0 {
		return nil
	}
	c := newDenseCurve(iterations, values)
	return &c
}

// perOctave is how many points a dense curve has in each doubling of the iterations, where the trace has them.
const perOctave = 16

// newDenseCurve thins a curve for axes that are linear or logarithmic: of about points even steps, and of perOctave steps in each
// doubling, it has the first record.
func newDenseCurve(iterations []int, values []float64) curve {
	c := curve{X: []int{}, Y: series{}}
	if len(iterations) == 0 {
		return c
	}
	stride := max(1, iterations[len(iterations)-1]/points)
	last := [2]int{-1, -1}
	for i, t := range iterations {
		cell := [2]int{t / stride, int(perOctave * math.Log2(float64(t)+1))}
		if cell != last || i == len(iterations)-1 {
			last = cell
			c.X, c.Y = append(c.X, t), append(c.Y, values[i])
		}
	}
	return c
}
