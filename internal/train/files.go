package train

import "github.com/deeplimit/deeplimit/resnet"

// Files returns about how many bytes a run on n samples leaves in its folder, and how many a
// checkpoint of it takes; each number in entry bytes, each measurement in measured.
func Files(net *resnet.Network, spec Spec, n int, test bool, entry int, measured int64) (left, checkpoint float64) {
	counts := spec.Count(n, test)
	// The bytes of a row and of an iterate held against a certificate, and of run.json and the
	// heads of files, and of a length of a stretch as text in base64.
	const row, texts, stretch = 72, 1 << 13, 27
	depth := float64(net.Depth)
	trained, all := float64(net.Layout.Trained), float64(net.Layout.Size)
	records := row*float64(counts.Rows) + 8*depth*float64(counts.Norms*len(net.Parts())) + float64(counts.Measured)*float64(measured)
	states := 8 * float64(min(keptStates, n)) * (depth + 1) * float64(net.Width)
	copies := 1.0
	if counts.Measured > 0 && certifiable(net, spec, n) {
		copies++ // the weights at the certificate
	}
	streams := float64(counts.Measured) * float64(measured) / 3 // in base64
	moments := float64(StateEntries(net, spec.Method))
	kept, end := copies*trained+moments, 0.0
	if spec.KeepState || !spec.Stateful() {
		end = float64(entry)*((copies-1)*trained+moments) + stretch*depth
	}
	return float64(entry)*(all+trained) + states + records + texts + end, float64(entry)*kept + records + streams + texts
}

// certifiable says whether a certificate of convergence may be issued: the features of n
// samples can only be independent where there are as many entries.
func certifiable(net *resnet.Network, spec Spec, n int) bool {
	return spec.Update() == "gd" && net.Loss == "squared" && n <= max(net.Width, net.Hidden)+1
}
