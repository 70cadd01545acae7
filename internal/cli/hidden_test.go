package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// TestHiddenNames gives data sets, columns and folders names with characters that steer a
// terminal, turn the direction of text or are not seen. Whatever is printed, in errors too,
// and whatever is shown has them escaped; JSON and CSV give the names as they are.
func TestHiddenNames(t *testing.T) {
	t.Parallel()
	const name = "red\x1b[31m\u202e\u009b\u200b\ttab\nline"
	dir := t.TempDir()
	hidden := filepath.Join(dir, "out\x1b]0;x\a\u202e")
	quoted, err := json.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"study.yaml":              "name: s\ndepths: [8, 16]\ndata: {name: " + string(quoted) + ", kind: separated, width: 4, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 20}}\n",
		"table.csv":               "a\x1b[2J,b\u202e,y\n1,2,3\n4,5,oops\x1b\u202e\n",
		"columns.yaml":            "name: s\ndepths: [8]\ndata: {kind: csv, path: table.csv}\n",
		"bad\x1b\u202e.yaml":      "name: s\ndepths: [8]\ndata: {kind: \"no\\e\\u202esuch\"}\n",
		"key.yaml":                "name: s\ndepths: [8]\n\"k\\e\\u202ey\": 1\n",
		"path\x1b[31m\u202e.csv":  "x\n1\n2\n",
		"tensor\x1b\u202e.npy":    "no array",
		"labels\u200b\x1b[2J.txt": "1 2\nx\x1b\u202e 4\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "deeplimit", args...)
		cmd.Dir = dir
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		cmd.Run()
		if text := out.String(); text == "" || plain.Lines(text) != text || strings.Contains(text, "\ttab") || strings.Contains(text, "\nline") {
			t.Errorf("%q printed %q, want some text with hidden characters escaped", args, text)
		}
		return out.String()
	}
	run("run", "study.yaml", "--out", hidden)
	for _, args := range [][]string{
		{"run", "study.yaml", "--dry-run"},
		{"analyze", hidden},
		{"status", hidden, "--all"},
		{"status", dir},
		{"edge", "study.yaml"},
		{"figure", "loss", hidden, "--out", filepath.Join(dir, "figure")},
		{"run", "columns.yaml"},
		{"run", "bad\x1b\u202e.yaml"},
		{"run", "key.yaml"},
		{"run", "none\x1b\u202e.yaml"},
		{"pvar", "path\x1b[31m\u202e.csv"},
		{"pvar", "labels\u200b\x1b[2J.txt"},
		{"import", "tensor\x1b\u202e.npy", "--out", "imported"},
		{"run", "study.yaml", "--set", "network.alpha=\x1b\u202e"},
		{"nothing\x1b\u202e"},
	} {
		run(args...)
	}
	var result struct {
		Groups []struct {
			Data string `json:"data"`
		} `json:"groups"`
	}
	if err := json.Unmarshal([]byte(run("analyze", hidden, "--json")), &result); err != nil || len(result.Groups) != 1 || result.Groups[0].Data != name {
		t.Errorf("JSON gives %+v, %v, want the name %q", result, err, name)
	}
	pages := append(glob(t, hidden+"/report/*.html"), glob(t, hidden+"/report/figures/*.svg")...)
	if len(pages) < 2 {
		t.Fatalf("got pages and figures %q", pages)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if plain.Lines(string(text)) != string(text) {
			t.Errorf("%s holds hidden characters", filepath.Base(path))
		}
		if strings.HasSuffix(path, ".html") && !strings.Contains(string(text), `red\x1b[31m\u202e\u009b\u200b`) {
			t.Errorf("%s does not show the name", filepath.Base(path))
		}
	}
}
