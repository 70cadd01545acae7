package importer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/network"
)

func TestHeadsBeside(t *testing.T) {
	for text, want := range map[string]network.Heads{
		`{"num_attention_heads": 8}`:                                       {Query: 8, KeyValue: 8},
		`{"n_head": 12, "n_layer": 4}`:                                     {Query: 12, KeyValue: 12},
		`{"num_attention_heads": 32, "num_key_value_heads": 8}`:            {Query: 32, KeyValue: 8},
		`{"num_attention_heads": 32, "num_key_value_heads": null}`:         {Query: 32, KeyValue: 32},
		`{"text_config": {"num_attention_heads": 4}, "vision_config": {}}`: {Query: 4, KeyValue: 4},
		`{"num_attention_heads": "8"}`:                                     {},
		`{"num_attention_heads": -8}`:                                      {},
		`[8]`:                                                              {},
		`not json`:                                                         {},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{dir, filepath.Join(dir, "model.safetensors")} {
			if got, err := headsBeside(path); err != nil || got != want {
				t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
			}
		}
	}
	if got, err := headsBeside(filepath.Join(t.TempDir(), "model.safetensors")); err != nil || got.Query != 0 {
		t.Errorf("without a config.json: got %v, %v, want none", got, err)
	}
}

func TestParseHeads(t *testing.T) {
	for text, want := range map[string]network.Heads{"": {}, "12": {Query: 12, KeyValue: 12}, "32:8": {Query: 32, KeyValue: 8}} {
		if got, err := ParseHeads(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"0", "-1", "8:3", "8:", "x", "4:8", "1.5"} {
		if got, err := ParseHeads(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}
