package kernelproof

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/runfolder"
)

// format names the layout of a Document.
const format = "deeplimit kernel certificate 1"

// A Document is a kernel certificate that others can check from it and from weights.safetensors alone:
// python/verify_certificate.py does so in ball arithmetic. Numbers of claims are hexadecimal floats, each moved to its safe side.
type Document struct {
	Format  string         `json:"format"`
	Run     string         `json:"run"`
	Network map[string]any `json:"network"`
	Bound   string         `json:"bound"`   // of the curvature: cheap or full
	Step    string         `json:"step"`    // that was asked for, "" for the largest
	Weights string         `json:"weights"` // SHA-256 of weights.safetensors
	Inputs  string         `json:"inputs"`  // (N,inputs), base64 of little-endian float64
	Targets string         `json:"targets"` // (N,outputs)
	// Claims are what is stated, and the constants that it follows from.
	Claims map[string]string `json:"claims"`
	// SHA256 is that of the rest, as JSON with sorted keys and no blanks.
	SHA256 string `json:"sha256"`
}

// slack is the relative distance by which claims are weaker than what was computed, so that nobody's rounding decides.
const slack = 0x1p-20

// NewDocument returns the certificate of what was proved about a run; an error where nothing was issued.
func NewDocument(run *runfolder.Run, options Options, k *certify.Kernel) (*Document, error) {
	problem, err := plan.Recorded(run, options.Base)
	if err != nil {
		return nil, err
	}
	claims, err := claimsOf(k, problem)
	if err != nil {
		return nil, err
	}
	net := problem.Network
	d := &Document{
		Format: format, Run: run.Meta.ID, Weights: run.Summary.SHA256["weights.safetensors"], Claims: claims,
		Inputs: encode(problem.Samples.X), Targets: encode(problem.Samples.Y),
		Network: map[string]any{
			"block": net.Block, "activation": net.Activation, "bias": net.Bias, "residual": net.Residual,
			"embed": net.Embed, "readout": net.Readout, "depth": net.Depth, "width": net.Width,
			"hidden": net.Hidden, "inputs": net.Inputs, "outputs": net.Outputs, "samples": len(problem.Samples.Y) / net.Outputs,
		},
	}
	d.Bound = k.Bound
	if options.Step > 0 {
		d.Step = strconv.FormatFloat(options.Step, 'x', -1, 64)
	}
	d.SHA256, err = d.digest()
	return d, err
}

// claimsOf states what was issued with room to all sides.
func claimsOf(k *certify.Kernel, problem *plan.Problem) (map[string]string, error) {
	if k.LambdaMin == nil || !k.Zero.Issued && !k.Descent.Issued {
		return nil, errors.New("got nothing issued to write: " + k.Zero.Why)
	}
	rounding := 0.0
	if p := k.Proven; p != nil {
		bounds := *k
		bounds.Residual, bounds.LambdaMin, bounds.LambdaMax, bounds.NewtonStep = p.Residual, &p.LambdaMin, &p.LambdaMax, &p.NewtonStep
		bounds.Zero, bounds.Descent, bounds.CurvatureAtCentre = p.Zero, p.Descent, p.CurvatureAtCentre
		k = &bounds
	} else { // what rounding may do to the outputs, reckoned as a random walk over the layers would be
		size := 0.0
		for _, y := range problem.Samples.Y {
			size += y * y
		}
		rounding = 64 * 0x1p-53 * float64(problem.Network.Depth+1) * (math.Sqrt(size) + k.Residual)
	}
	low, high := *k.LambdaMin*(1-slack), *k.LambdaMax*(1+slack)
	residual := k.Residual*(1+slack) + rounding
	n := float64(len(problem.Samples.Y) / problem.Network.Outputs)
	c := map[string]float64{"lambda_min": low, "lambda_max": high, "residual": residual}
	if k.Zero.Issued {
		newton := *k.NewtonStep*(1+slack) + rounding/math.Sqrt(low)
		m := bend(k, *k.Zero.CurvatureInBall, k.Zero.CurvatureGrowth)
		if length, _, ok := m.closes(newton, low, k.Zero.Radius); ok {
			c["zero.newton_step"], c["zero.radius"], c["zero.distance"] = newton, k.Zero.Radius, length
			m.put(c, "zero.")
		}
	}
	if d := &k.Descent; d.Issued && *d.Step <= *d.StepMax {
		m := bend(k, *d.CurvatureInBall, d.CurvatureGrowth)
		if length, end, ok := m.closes(residual/math.Sqrt(low), low, d.Radius); ok {
			beta := math.Sqrt(high) + length*(m.curvature+0.5*m.growth*length)
			most := n / (beta * beta) * (1 - slack)
			step := min(*d.Step, most)
			nu := step / n
			least, part := 0.0, 1-0.5*(m.curvature+m.growth*length)*nu*residual
			if m.growth > 0 {
				least, part = 0.25, max(0.75, part)
			}
			q := max(least, 1-nu*low*end*end*part)
			c["descent.radius"], c["descent.length"] = d.Radius, length
			c["descent.step_max"], c["descent.step"], c["descent.loss_factor"] = most, step, q*q*(1+0x1p-48)
			m.put(c, "descent.")
		}
	}
	if len(c) == 3 {
		return nil, errors.New("got a certificate that rounding may use up (its residual is rounding alone), want one with room: certify an earlier iterate")
	}
	claims := make(map[string]string, len(c))
	for name, v := range c {
		claims[name] = strconv.FormatFloat(v, 'x', -1, 64)
	}
	return claims, nil
}

// A bending is what bounds the curvature of a statement: in its ball, or at the centre with its growth.
type bending struct{ curvature, growth float64 }

// bend returns that of a statement, enlarged.
func bend(k *certify.Kernel, inBall float64, growth *float64) bending {
	if growth == nil {
		return bending{inBall * (1 + slack), 0}
	}
	return bending{*k.CurvatureAtCentre * (1 + slack), *growth * (1 + slack)}
}

// put adds it to the claims of a statement.
func (m bending) put(claims map[string]float64, statement string) {
	if m.growth == 0 {
		claims[statement+"curvature"] = m.curvature
		return
	}
	claims[statement+"curvature_at_centre"], claims[statement+"curvature_growth"] = m.curvature, m.growth
}

// closes returns l for the first Newton step of ψ, enlarged, and less than −ψ′(l)/σ₀; ok is false where there is no l within the radius.
func (m bending) closes(first, low, radius float64) (length, end float64, ok bool) {
	sigma := math.Sqrt(low)
	length, ok = certify.FirstRoot(first, sigma, m.curvature, m.growth)
	length *= 1 + slack
	a, b := m.curvature/sigma, m.growth/sigma
	end = (1 - length*(a+0.5*b*length)) * (1 - slack)
	reached := first+length*length*(0.5*a+b*length/6) <= length*(1-0x1p-48)
	return length, end, ok && reached && end > 0 && length <= radius
}

func encode(values []float64) string {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return base64.StdEncoding.EncodeToString(data)
}

// digest returns the SHA-256 of all but SHA256.
func (d *Document) digest() (string, error) {
	text, err := json.Marshal(map[string]any{
		"format": d.Format, "run": d.Run, "network": d.Network, "weights": d.Weights,
		"inputs": d.Inputs, "targets": d.Targets, "claims": d.Claims, "bound": d.Bound, "step": d.Step,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Write stores the document as a JSON file.
func (d *Document) Write(path string) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}

// ReadDocument reads what Write stored, and checks its digest.
func ReadDocument(path string) (*Document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &Document{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields() // the digest does not cover them
	if err := decoder.Decode(d); err != nil {
		return nil, fmt.Errorf("%s: got no certificate of deeplimit: %w", filepath.Base(path), err)
	}
	if d.Format != format {
		return nil, fmt.Errorf("%s: got format %q, want %q", filepath.Base(path), d.Format, format)
	}
	digest, err := d.digest()
	if err == nil && digest != d.SHA256 {
		err = fmt.Errorf("%s: got sha256 %s, want %s: the certificate was changed", filepath.Base(path), d.SHA256, digest)
	}
	return d, err
}

// Options returns those that the certificate was made with.
func (d *Document) Options() (Options, error) {
	o := Options{Bound: d.Bound}
	if d.Step == "" {
		return o, nil
	}
	var err error
	if o.Step, err = strconv.ParseFloat(d.Step, 64); err != nil {
		return o, fmt.Errorf("step: got %q, want a number", d.Step)
	}
	return o, nil
}

// Against compares the document with one made afresh from the run: all must be equal but for claims, which may differ by a
// relative 1e-8, far less than slack, as another machine rounds otherwise.
func (d *Document) Against(fresh *Document) error {
	if d.Weights != fresh.Weights {
		return fmt.Errorf("weights: got sha256 %s in the run, the certificate is of %s", fresh.Weights, d.Weights)
	}
	if d.Inputs != fresh.Inputs || d.Targets != fresh.Targets {
		return errors.New("samples: got others in the run than in the certificate")
	}
	a, _ := json.Marshal(d.Network)
	b, _ := json.Marshal(fresh.Network)
	if string(a) != string(b) {
		return fmt.Errorf("network: got %s in the run, the certificate has %s", b, a)
	}
	if d.Run != fresh.Run || d.Bound != fresh.Bound {
		return fmt.Errorf("got a certificate of run %s with bound %s, want %s and %s", d.Run, d.Bound, fresh.Run, fresh.Bound)
	}
	if len(d.Claims) != len(fresh.Claims) {
		return fmt.Errorf("claims: got %d, the run gives %d", len(d.Claims), len(fresh.Claims))
	}
	for name, text := range d.Claims {
		got, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("claims: %s: got %q, want a number", name, text)
		}
		want, err := strconv.ParseFloat(fresh.Claims[name], 64)
		if err != nil || !(math.Abs(got-want) <= 1e-8*math.Abs(want)) {
			return fmt.Errorf("claims: %s: got %v, the run gives %s", name, got, fresh.Claims[name])
		}
	}
	return nil
}
