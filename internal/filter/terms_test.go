package filter

import (
	"reflect"
	"testing"
)

func TestReadSearch(t *testing.T) {
	for text, want := range map[string]Search{
		"":                                  {},
		"  L0064  alpha ":                   {Words: []string{"L0064", "alpha"}},
		"train.step.value=0.1 depth>=64":    {Comparisons: []Comparison{{"train.step.value", "==", "0.1", false}, {"depth", ">=", "64", false}}},
		"alpha = 0.75 node-3 state!=failed": {Comparisons: []Comparison{{"alpha", "==", "0.75", false}, {"state", "!=", "failed", false}}, Words: []string{"node-3"}},
		`"depth > 3" 'not finite'`:          {Words: []string{"depth > 3", "not finite"}},
		`job="7 8"`:                         {Comparisons: []Comparison{{"job", "==", "7 8", true}}},
		"depth >":                           {Words: []string{"depth", ">"}},
		"depth > 8 or seed == 1":            {Condition: "depth > 8 or seed == 1"},
		" not network.bias ":                {Condition: "not network.bias"},
		"depth in [8, 16]":                  {Condition: "depth in [8, 16]"},
		`data == "a" and (depth > 3)`:       {Condition: `data == "a" and (depth > 3)`},
		`"`:                                 {Words: []string{`"`}},
		`""`:                                {},
	} {
		if got := ReadSearch(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

func TestComparisonCondition(t *testing.T) {
	fields := Fields{"depth": 64, "host": "n1", "data": Fields{"name": "digits"}, "network": Fields{"alpha": 0.5, "keep-it": true}}
	for text, want := range map[string]string{
		"depth>=64": "depth >= 64", "depth=1e1": "depth == 10", "network.alpha<.75": "network.alpha < 0.75",
		"host=17": `host == "17"`, "data=digits": `data == "digits"`, "network.keep-it=true": `network["keep-it"] == true`,
		"network.alpha<NaN": `network.alpha < "NaN"`, `depth="8"`: `depth == "8"`, `data!='a"b'`: `data != "a\"b"`,
	} {
		c := ReadSearch(text).Comparisons
		if len(c) != 1 {
			t.Fatalf("%s: got %v, want one comparison", text, c)
		}
		got := c[0].Condition(c[0].Name, fields)
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if _, err := New([]string{got}, fields); err != nil && text != "network.alpha<NaN" && text != `depth="8"` {
			t.Errorf("%s: %v", text, err)
		}
	}
}
