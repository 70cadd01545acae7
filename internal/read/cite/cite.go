// Package cite says which works a study rests on: the methods, data sets, bounds and statistics that its runs used, from
// run folders alone.
package cite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/runfolder"
)

// A Reference is a work that a study is to cite.
type Reference struct {
	Key     string   `json:"key"`
	For     []string `json:"for"`  // what of the study is the work's
	Type    string   `json:"type"` // article, inproceedings or misc, as BibTeX has them
	Authors []string `json:"authors"`
	Title   string   `json:"title"`
	In      string   `json:"in,omitempty"` // journal, conference or collection
	Volume  string   `json:"volume,omitempty"`
	Number  string   `json:"number,omitempty"`
	Pages   string   `json:"pages,omitempty"`
	Year    int      `json:"year,omitempty"`
	DOI     string   `json:"doi,omitempty"`
	ArXiv   string   `json:"arxiv,omitempty"`
	URL     string   `json:"url,omitempty"`
}

// A collector gathers works in the order in which they are asked for.
type collector struct {
	list []Reference
	at   map[string]int
}

func (c *collector) add(about string, keys ...string) {
	for _, key := range keys {
		i, ok := c.at[key]
		if !ok {
			work, known := references[key]
			if !known {
				panic("cite: no work " + key) // a test holds byValue to references
			}
			i, work.Key = len(c.list), key
			c.at[key] = i
			c.list = append(c.list, work)
		}
		if !slices.Contains(c.list[i].For, about) {
			c.list[i].For = append(c.list[i].For, about)
		}
	}
}

// Study returns the works that the runs in the folder of a study rest on, the program first; version is its own.
func Study(studyDir, version string) ([]Reference, error) {
	if _, err := runfolder.StudyName(studyDir); err != nil {
		return nil, fmt.Errorf("cite: %s: got a folder that is not that of a study: %w", studyDir, err)
	}
	listing, err := runfolder.OpenStudy(studyDir, nil, nil)
	if err != nil {
		return nil, err
	}
	c := &collector{at: map[string]int{}}
	c.list = append(c.list, program(version))
	c.add("convergence of gradient descent, certificates and the scaling of trained weights", "cont2022convergence")
	depths, seeds, transferred, found := map[int]bool{}, map[uint64]bool{}, false, 0
	var unread []error
	for i := range listing.Members {
		m := &listing.Members[i]
		if errors.Is(m.Err, fs.ErrNotExist) {
			continue // not begun
		}
		if m.Err != nil {
			unread = append(unread, m.Err)
			continue
		}
		found++
		depths[m.Run.Meta.Depth], seeds[m.Run.Meta.Seed] = true, true
		if err := c.config(m.Run.Meta.Config); err != nil {
			unread = append(unread, fmt.Errorf("cite: %s: config: %w", m.Dir, err))
		}
		if _, err := m.Run.Transfer(); !transferred && err == nil {
			transferred = true
		}
	}
	if err := errors.Join(unread...); err != nil {
		return nil, err
	}
	if found == 0 {
		return nil, fmt.Errorf("cite: %s: got no run that was begun, want one at least (deeplimit run)", studyDir)
	}
	c.statistics(len(depths), len(seeds), transferred)
	return c.list, nil
}

// program is deeplimit itself.
func program(version string) Reference {
	return Reference{
		Key: "deeplimit", For: []string{"training and analysis, version " + version}, Type: "misc",
		Authors: people("{The deeplimit authors}"), Title: "deeplimit", URL: "https://github.com/deeplimit/deeplimit",
	}
}

// statistics adds the works that the analysis of so many depths and seeds rests on.
func (c *collector) statistics(depths, seeds int, transferred bool) {
	c.add("p-variation: a bound of the dynamic programme by blocks", "korepanov2018pvar")
	if depths > 1 {
		c.add("exponents and kinds of limit over depth", "cohen2021scaling")
		c.add("differences of layers that a smooth part does not reach", "istas1997quadratic", "kent1997estimating")
	}
	if seeds > 1 {
		c.add("intervals over seeds", "student1908probable")
	}
	if transferred {
		c.add("limit of the paths, extrapolated in 1/L", "richardson1911approximate")
	}
}

// config adds what the configuration of a run asks for; one from elsewhere has none.
func (c *collector) config(text json.RawMessage) error {
	if len(text) == 0 {
		return nil
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	at := func(path string) any {
		var value any = config
		for step := range strings.SplitSeq(path, ".") {
			object, ok := value.(map[string]any)
			if !ok {
				return nil
			}
			value = object[step]
		}
		return value
	}
	for _, rule := range byValue {
		if at(rule.path) == rule.value {
			c.add(rule.about, rule.keys...)
		}
	}
	if parts, ok := at("initial.parts").(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			if kind, _ := at("initial.parts." + name + ".kind").(string); strings.HasPrefix(kind, "fractional-") {
				c.add("initial weights "+kind, "davies1987hurst")
			}
		}
	}
	if at("network.normalise") != nil && at("network.norm") == nil { // the default
		c.add("rms norm", "zhang2019rms")
	}
	if at("train.certify.curvature") == true {
		c.add("extreme eigenvalues of the Hessian", "wu2000thick", "pearlmutter1994fast")
	}
	if at("train.certify.gram") == true || at("train.certify.kernel") == true {
		c.add("tangent kernel", "jacot2018ntk")
	}
	if at("train.certify.cadence") != "off" && at("train.certify") != nil {
		c.add("Polyak-Łojasiewicz ratio of certificates", "polyak1963gradient")
	}
	if at("train.cascade") != nil {
		c.add("training over a cascade of depths", "haber2018stable", "chang2018multilevel")
	}
	return nil
}
