package filter

import (
	"errors"
	"math"
	"strings"
	"testing"
)

var numberNames = []string{"depth", "width", "hidden", "alpha"}

var numberValues = map[string]float64{"depth": 16, "width": 4, "hidden": 9, "alpha": 0.5}

func TestExpression(t *testing.T) {
	for text, want := range map[string]float64{
		"1/sqrt(hidden)": 1.0 / 3, "depth": 16, "depth^-alpha": 0.25, "depth ** 2": 256, "2 * width + 1": 9, "-width": -4, "+width": 4,
		"max(width, hidden, 3) / 2": 4.5, "min(width, 2.5)": 2.5, "depth > 8 ? 1 : 0": 1, "depth > 8 and not (width == 4) ? 1 : 7": 7,
		"floor(hidden/2)": 4, "ceil(hidden/2)": 5, "round(width/3)": 1, "abs(-width)": 4, "log2(depth)": 4, "exp(0)*width": 4,
		"2^3^0*width": 8, "width - 1 - 1": 2, "depth/width/2": 2, "-depth^2": -256, "9007199254740993*width/width": 9007199254740992,
		"1e-3*depth": 0.016, "alpha == 0.5 ? 1/depth : 1/(depth-16)": 1.0 / 16, "sqrt(4)": 2,
	} {
		e, err := NewExpression(text, numberNames)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := e.Value(numberValues); err != nil || !(math.Abs(got-want) <= 1e-15*math.Abs(want)) {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestExpressionNames(t *testing.T) {
	e, err := NewExpression("width*depth + depth", numberNames)
	if err != nil || strings.Join(e.Names(), " ") != "depth width" || e.Uses("hidden") || !e.Uses("depth") {
		t.Errorf("got %v, %v", e, err)
	}
}

func TestExpressionRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"1/sqrt(hiden)":    `hiden: got an unknown name, want one of depth, width, hidden, alpha; did you mean "hidden"?`,
		"depth + steps":    `steps: got an unknown name, want one of depth, width, hidden, alpha`,
		"1/sqrt(":          `unexpected token EOF`,
		"depth width":      `unexpected token Identifier("width")`,
		"sqrt()*depth":     `sqrt: got 0 arguments, want one`,
		"max(depth)":       `max: got 1 arguments, want two or more`,
		"tan(depth)":       `tan: got an unknown function, want one of sqrt, exp, log, log2, abs, floor, ceil, round, min, max`,
		"len(depth)":       `len: got an unknown function, want one of `,
		"depth % 3":        `got the operator %, want one of + - * / ^`,
		"depth > 3":        `got something else than numbers, `,
		"depth ? 1 : 2":    `got a number for the condition of a ? b : c, want a comparison such as depth > 8`,
		"depth in [1, 2]":  `got the operator in, want one of `,
		"depth + \"a\"":    `got something else than numbers, `,
		"[depth]":          `got something else than numbers, `,
		"depth.x":          `got something else than numbers, `,
		"let x = depth; x": `got something else than numbers, `,
		"(depth > 3) + 1":  `got something else than numbers, `,
		"true ? depth : 1": `got a number for the condition`,
	} {
		if _, err := NewExpression(text, numberNames); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s…", text, err, want)
		}
	}
	for _, text := range []string{"half", "1/3", "2024-01-01", "0x1p-1", "", "1_000", "Depth", "π"} {
		if _, err := NewExpression(text, numberNames); !errors.Is(err, ErrNoExpression) {
			t.Errorf("%q: got %v, want %v", text, err, ErrNoExpression)
		}
	}
}

func TestExpressionNotFinite(t *testing.T) {
	for text, want := range map[string]string{
		"1/(depth-16)":        "division of 1 by zero",
		"0*(1/(depth-16))":    "division of 1 by zero",
		"sqrt(-depth)":        "sqrt(-16) is NaN",
		"log(depth-16)":       "log(0) is -Inf",
		"(-depth)^alpha/0":    "-16^0.5 is NaN",
		"depth^1000":          "16^1000 is +Inf",
		"1/depth^1000":        "16^1000 is +Inf",
		"exp(depth*100)":      "exp(1600) is +Inf",
		"1e308*depth - depth": "1e+308*16 is +Inf",
	} {
		e, err := NewExpression(text, numberNames)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := e.Value(numberValues); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	e, err := NewExpression("depth*width", numberNames)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Value(map[string]float64{"depth": 3}); err == nil || err.Error() != "width is not known there" {
		t.Errorf("got %v for a name without a value", err)
	}
}
