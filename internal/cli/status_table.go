package cli

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/survey"
)

// write prints the totals of each study, then the runs worth a look.
func (o *statusOptions) write(w io.Writer, studies []studyStatus) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := "STUDY\tRUNS"
	for _, state := range survey.States {
		header += "\t" + strings.ToUpper(string(state))
	}
	fmt.Fprintln(table, header)
	for _, s := range studies {
		if s.Error != "" {
			continue
		}
		line := plain.Text(s.Study) + "\t" + strconv.Itoa(s.Total)
		for _, state := range survey.States {
			line += "\t" + strconv.Itoa(s.Counts[state])
		}
		fmt.Fprintln(table, line)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range studies {
		if s.Error != "" {
			fmt.Fprintf(w, "%s: not read: %s\n", s.Dir, s.Error)
			continue
		}
		if s.Note != "" {
			fmt.Fprintf(w, "%s: note: %s\n", plain.Text(s.Study), strings.ReplaceAll(plain.Lines(s.Note), "\n", "\n  "))
		}
		if len(s.Tags) > 0 {
			fmt.Fprintf(w, "%s: tags: %s\n", plain.Text(s.Study), plain.Text(strings.Join(s.Tags, ", ")))
		}
		if s.Others > 0 {
			fmt.Fprintf(w, "%s: %d run folders are no part of the study as it was last started\n", s.Dir, s.Others)
		}
		if s.Overview != nil {
			columns, err := s.Overview.Choose(o.view.Columns)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\n%s: %s\n", plain.Text(s.Study), s.Overview.About())
			if err := s.Overview.Write(w, columns, widthOf(w)); err != nil {
				return err
			}
		}
		if err := s.writeQueue(w, o.all); err != nil {
			return err
		}
		if err := o.writeRuns(w, &s); err != nil {
			return err
		}
	}
	return nil
}

// mostListed bounds the runs of one state that are listed without --all.
const mostListed = 20

// writeRuns prints the runs at work and those in trouble, or all.
func (o *statusOptions) writeRuns(w io.Writer, s *studyStatus) error {
	byState := map[survey.State][]runStatus{}
	for _, r := range s.Runs {
		byState[r.State] = append(byState[r.State], r)
	}
	states := []survey.State{survey.Running, survey.Interrupted, survey.Diverged, survey.Failed}
	if o.all {
		states = survey.States
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	begun := false
	for _, state := range states {
		runs := byState[state]
		for i, r := range runs {
			if !begun {
				fmt.Fprintln(table, "\nRUN\tSTATE\tITERATION\tLOSS\tTIME\tLEFT\tWHERE\tREASON")
				begun = true
			}
			if i == mostListed && !o.all {
				fmt.Fprintf(table, "… %d more\t%s\t\t\t\t\t\t--all lists them\n", len(runs)-i, state)
				break
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain.Text(r.ID), r.State, r.progress(), r.lossText(), r.timeText(), r.leftText(),
				plain.Text(cmp.Or(strings.TrimSpace(r.Host+" "+r.Job), "-")), plain.Text(cmp.Or(firstLine(r.Reason), r.Stop)))
		}
	}
	return table.Flush()
}

// progress returns "120/2000 6 %" of an unfinished run and the iterations of a finished one.
func (r *runStatus) progress() string {
	if r.Stop != "" || r.Iterations == 0 {
		return strconv.Itoa(r.Iteration)
	}
	return fmt.Sprintf("%d/%d %.0f %%", r.Iteration, r.Iterations, 100*float64(r.Iteration)/float64(r.Iterations))
}

func (r *runStatus) lossText() string {
	if r.Loss == nil {
		return "-"
	}
	return fmt.Sprintf("%.2e", *r.Loss)
}

func (r *runStatus) timeText() string {
	if r.Seconds == 0 {
		return "-"
	}
	return readable(r.Seconds)
}

func (r *runStatus) leftText() string {
	if r.ETA == 0 {
		return "-"
	}
	return "≤ " + readable(r.ETA)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
