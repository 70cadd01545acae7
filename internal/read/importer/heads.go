package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
)

// ParseHeads reads the number of heads, N, or N:M with M of keys and values; "" for not known.
func ParseHeads(text string) (network.Heads, error) {
	if text == "" {
		return network.Heads{}, nil
	}
	query, shared, several := strings.Cut(text, ":")
	n, err := strconv.Atoi(query)
	m := n
	if several && err == nil {
		m, err = strconv.Atoi(shared)
	}
	if err != nil || n < 1 || m < 1 || n%m != 0 {
		return network.Heads{}, &field.Error{Path: "heads", Got: text, Want: "the number of heads, as 12, or 32:8 where 8 heads of keys and values serve 32 of queries"}
	}
	return network.Heads{Query: n, KeyValue: m}, nil
}

// mostConfig bounds the bytes of a config.json.
const mostConfig = 1 << 20

// headsBeside returns the heads that the config.json beside a checkpoint states; zero where there is none, or none in it.
func headsBeside(path string) (network.Heads, error) {
	dir := filepath.Dir(path)
	if status, err := os.Stat(path); err == nil && status.IsDir() {
		dir = path
	}
	file := filepath.Join(dir, "config.json")
	status, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (!status.Mode().IsRegular() || status.Size() > mostConfig) {
		return network.Heads{}, nil
	}
	if err != nil {
		return network.Heads{}, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return network.Heads{}, err
	}
	var stated map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if decoder.Decode(&stated) != nil {
		return network.Heads{}, nil // of another program
	}
	if inner, ok := stated["text_config"].(map[string]any); ok {
		stated = inner
	}
	number := func(keys ...string) int {
		for _, key := range keys {
			if v, ok := stated[key].(json.Number); ok {
				if n, err := strconv.Atoi(v.String()); err == nil && n > 0 {
					return n
				}
			}
		}
		return 0
	}
	h := network.Heads{Query: number("num_attention_heads", "n_head", "n_heads", "num_heads")}
	if h.KeyValue = number("num_key_value_heads", "n_kv_heads", "num_kv_heads"); h.KeyValue == 0 {
		h.KeyValue = h.Query
	}
	return h, nil
}

// reading says what is measured of the families of a checkpoint, and what was decided about it.
func (o *Options) reading(c *checkpoint, families []network.Family, tell func(int)) (network.Reading, []string, error) {
	r := network.Reading{Invariants: !o.NoInvariants, Align: o.Align, Heads: o.Heads, Tell: tell}
	var notes []string
	if o.NoInvariants {
		note := "singular values and invariants of the blocks were not measured (--no-invariants)"
		if !o.Align {
			note += ": the order of layers that number their hidden units for themselves is not seen in the entries"
		}
		notes = append(notes, note)
	}
	if r.Invariants || r.Align {
		note, err := findHeads(&r, c, families)
		if err != nil {
			return r, nil, fmt.Errorf("importer: %s: %w", plain.Text(c.path), err)
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	if r.Align {
		some, problems := r.Alignable(families)
		if !some {
			reason := "no family with hidden units whose role and sides are known"
			if len(problems) > 0 {
				reason = strings.Join(problems, "; ")
			}
			return r, nil, fmt.Errorf("importer: %s: --align: got %s; want maps mlp up, gate and down or attention q, k, v and o, of at most %d hidden units (--roles says which tensors are these), or no --align",
				plain.Text(c.path), reason, network.MostUnits)
		}
		notes = append(notes, problems...)
	}
	return r, notes, nil
}

// findHeads sets the number of heads, by the options or by the file beside the checkpoint, and says what was decided.
func findHeads(r *network.Reading, c *checkpoint, families []network.Family) (note string, err error) {
	given := r.Heads.Query > 0
	switch {
	case !network.HasHeads(families) && given:
		r.Heads = network.Heads{}
		return "--heads decides nothing: no q stands beside k, and no v beside o, with a known orientation", nil
	case !network.HasHeads(families), given && r.HeadsFit(families):
		return "", nil
	case given:
		return "", &field.Error{Path: "heads", Got: headsText(r.Heads), Want: "a number that divides the hidden units of the attention"}
	}
	found, err := headsBeside(c.path)
	if err != nil {
		return "", err
	}
	if found.Query == 0 {
		return "the number of heads is not known (no config.json beside the file states it): all heads are taken together; --heads tells them apart", nil
	}
	r.Heads = found
	if !r.HeadsFit(families) {
		r.Heads = network.Heads{}
		return fmt.Sprintf("the %s heads of config.json do not divide the hidden units of the attention: all heads are taken together; --heads tells them apart", headsText(found)), nil
	}
	return headsText(found) + " heads, by config.json beside the file", nil
}

func headsText(h network.Heads) string {
	if h.Query == h.KeyValue {
		return strconv.Itoa(h.Query)
	}
	return fmt.Sprintf("%d:%d", h.Query, h.KeyValue)
}
