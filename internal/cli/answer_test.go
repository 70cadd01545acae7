package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestAnswer flattens what commands print: objects inside rows, lists, rows that lack fields, and lists of lists.
func TestAnswer(t *testing.T) {
	type loss struct {
		Value float64  `json:"value"`
		Low   *float64 `json:"low"`
	}
	type run struct {
		ID       string            `json:"id"`
		Settings map[string]string `json:"settings,omitempty"`
		Loss     *loss             `json:"loss"`
		Seeds    []int             `json:"seeds,omitempty"`
		Done     bool              `json:"done"`
	}
	runs := []run{
		{ID: "c"},
		{ID: "a, \"b\"", Loss: &loss{Value: 1e-20}, Done: true},
		{ID: "\x1b[31m", Settings: map[string]string{"network.alpha": "½"}, Seeds: []int{1, 2}},
	}
	const rows = "id,settings.network.alpha,loss.value,loss.low,seeds,done\n" +
		"c,,,,,false\n" +
		"\"a, \"\"b\"\"\",,1e-20,,,true\n" +
		"\\x1b[31m,½,,,\"[1,2]\",false\n"
	groups := []struct {
		Group string `json:"group"`
		Notes []int  `json:"notes"`
		Runs  []run  `json:"runs"`
	}{{"x", []int{1}, runs[1:2]}, {Group: "none"}}
	for name, c := range map[string]struct {
		value any
		path  []string
		want  string
	}{
		"a list":           {runs, nil, rows},
		"inside an object": {map[string]any{"study": "s", "runs": runs}, []string{"runs"}, rows},
		"inside a list":    {groups, []string{"runs"}, "group,runs.id,runs.loss.value,runs.loss.low,runs.done\nx,\"a, \"\"b\"\"\",1e-20,,true\n"},
		"two lists deep":   {map[string]any{"groups": groups}, []string{"groups", "runs"}, "group,runs.id,runs.loss.value,runs.loss.low,runs.done\nx,\"a, \"\"b\"\"\",1e-20,,true\n"},
		"none":             {[]run{}, nil, ""},
		"null":             {map[string]any{"runs": nil}, []string{"runs"}, ""},
		"not there":        {map[string]any{}, []string{"runs"}, ""},
	} {
		var text strings.Builder
		if err := (answer{csv: true}).print(&text, c.value, c.path...); err != nil {
			t.Fatal(err)
		}
		if got := text.String(); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// TestEveryAnswer wants --csv beside every --json, and the hidden ones refused by the name of their command.
func TestEveryAnswer(t *testing.T) {
	refused := []string{}
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		for _, inner := range cmd.Commands() {
			look(inner)
		}
		if cmd.Flags().Lookup("json") == nil {
			return
		}
		flag := cmd.Flags().Lookup("csv")
		if flag == nil {
			t.Errorf("%s: got --json without --csv", cmd.CommandPath())
			return
		}
		if !flag.Hidden {
			return
		}
		refused = append(refused, cmd.Name())
		if err := cmd.Flags().Set("csv", "true"); err != nil {
			t.Fatal(err)
		}
		want := strings.TrimPrefix(cmd.CommandPath(), "deeplimit ") + ": got --csv, want --json: what it prints is no table"
		if err := cmd.PreRunE(cmd, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	look(Command())
	if got := strings.Join(refused, " "); got != "show version" {
		t.Errorf("got --csv refused by %q, want data show and version", got)
	}
}
