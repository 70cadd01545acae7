package train

import "github.com/deeplimit/deeplimit/resnet"

// A pace is what the entries of a parameter group are moved with.
type pace struct {
	scale   float64 // its step size over that of the iteration
	decay   float64 // λ in w ← w − ηλw, η its own step size
	epsilon float64 // Adam's ε
}

// spansOf cuts the trained parameters into stretches that are moved alike, as few as there are.
func spansOf(net *resnet.Network, spec Spec) []span {
	law := spec.At(net.Depth, net.Spec)
	var spans []span
	for _, g := range net.Layout.Groups {
		if !g.Trained {
			continue
		}
		next := span{begin: g.Offset, end: g.Offset + g.Len(), pace: pace{1, law.Decay, law.Epsilon}}
		for _, part := range law.Parts {
			if part.Name == g.Name {
				next.pace = pace{part.First / *law.First, part.Decay, part.Epsilon}
			}
		}
		if spec.Method == "muon" && isMatrix(g) {
			next.rows, next.cols = g.Shape[1], g.Shape[2]
		}
		if n := len(spans); n > 0 && spans[n-1].pace == next.pace && next.rows == 0 && spans[n-1].rows == 0 {
			spans[n-1].end = next.end
		} else {
			spans = append(spans, next)
		}
	}
	return spans
}

// isMatrix says whether a group holds a matrix for each layer.
func isMatrix(g resnet.Group) bool { return len(g.Shape) == 3 }

// matrixEntries returns how many trained entries the layers' matrices have. They stand
// before all others.
func matrixEntries(net *resnet.Network) int {
	end := 0
	for _, g := range net.Layout.Groups {
		if g.Trained && isMatrix(g) {
			end = g.Offset + g.Len()
		}
	}
	return end
}

// StateEntries returns how many numbers a method keeps from step to step beside the parameters.
func StateEntries(net *resnet.Network, method string) int {
	matrices, all := matrixEntries(net), net.Layout.Trained
	switch method {
	case "momentum", "nesterov", "lion":
		return all
	case "adam", "adamw":
		return 2 * all
	case "muon":
		return matrices + 2*(all-matrices)
	}
	return 0
}

// State says in words how many numbers a method keeps for each parameter.
func State(method string) string {
	switch method {
	case "momentum", "nesterov", "lion":
		return "one number"
	case "adam", "adamw":
		return "two numbers"
	case "muon":
		return "one number (two outside the matrices)"
	}
	return "nothing"
}
