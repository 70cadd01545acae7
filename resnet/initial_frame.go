package resnet

import (
	"math"

	"github.com/deeplimit/deeplimit/field"
)

// frames returns the resolved Embed and Readout: 0 for 1.
func (i Initial) frames(spec Spec) (frames [2]float64, err error) {
	for j, f := range []struct {
		path        string
		value       float64
		kind, group string
	}{{"embed", i.Embed, spec.Embed, "E"}, {"readout", i.Readout, spec.Readout, "C"}} {
		switch {
		case f.value == 0 || f.value == 1:
			continue
		case !(f.value > 0) || math.IsInf(f.value, 1):
			return frames, &field.Error{Path: f.path, Got: f.value, Want: "a finite number > 0"}
		case f.kind == "identity":
			return frames, &field.Error{Path: f.path, Got: f.value, Want: "it left out, or network." + f.path + ": orthonormal or trained (" + f.group + " is the identity)"}
		}
		frames[j] = f.value
	}
	return frames, nil
}

// Sized returns the section with every amplitude, 1 where it is left out, multiplied by size of its
// part, exponent 0 where it is left out, and with E and C times those factors, where there are
// such, of what the section says. The biases that no part names stay zero.
func (i Initial) Sized(spec Spec, embed, readout float64, size func(part string) float64) Initial {
	parts := map[string]Initial{}
	for _, name := range partNames(spec) {
		part, own := i.Parts[name]
		if !own && (name == "b" || name == "c") {
			continue
		}
		kind := part.Kind
		if kind == "" {
			kind = i.Kind
		}
		if kind == "" || uses(kind, "amplitude") {
			part.Amplitude = new(*pointer(part.Amplitude, i.Amplitude, 1) * size(name))
			part.Exponent = new(*pointer(part.Exponent, i.Exponent, 0))
		}
		parts[name] = part
	}
	i.Parts, i.Amplitude, i.Exponent = parts, nil, nil
	if spec.Embed != "identity" {
		i.Embed = scaled(i.Embed, embed)
	}
	if spec.Readout != "identity" {
		i.Readout = scaled(i.Readout, readout)
	}
	return i
}

// scaled returns value, 0 for 1, times by.
func scaled(value, by float64) float64 {
	if value == 0 {
		value = 1
	}
	return value * by
}
