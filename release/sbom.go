package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// components returns the release's software bill of materials, CycloneDX in JSON: what
// the program is compiled from with scope "required", and what go.mod requires for tests and
// tools alone with scope "excluded".
func components(id identity, modules, others []module) ([]byte, error) {
	self := cyclonedx.Component{
		Type: cyclonedx.ComponentTypeApplication, Name: "deeplimit", Version: id.version, BOMRef: "pkg:golang/github.com/deeplimit/deeplimit@" + id.version,
		PackageURL: "pkg:golang/github.com/deeplimit/deeplimit@" + id.version, Licenses: licencesOf([]string{"MIT"}),
	}
	if id.commit != "" {
		self.Properties = &[]cyclonedx.Property{{Name: "vcs.revision", Value: id.commit}}
	}
	var list []cyclonedx.Component
	var needs []string
	for i := range modules {
		c := modules[i].component(cyclonedx.ScopeRequired)
		list, needs = append(list, c), append(needs, c.BOMRef)
	}
	for i := range others {
		list = append(list, others[i].component(cyclonedx.ScopeExcluded))
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Timestamp: id.time.Format(time.RFC3339), Component: &self}
	bom.Components = &list
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: self.BOMRef, Dependencies: &needs}}
	encode := func() ([]byte, error) {
		var b bytes.Buffer
		encoder := cyclonedx.NewBOMEncoder(&b, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
		err := encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_6)
		return b.Bytes(), err
	}
	text, err := encode()
	if err != nil {
		return nil, err
	}
	// The serial number is made of the rest, as a random one would differ between two builds.
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, text).URN()
	return encode()
}

// component returns a module as a component.
func (m *module) component(scope cyclonedx.Scope) cyclonedx.Component {
	purl := fmt.Sprintf("pkg:%s/%s@%s", m.kind, m.path, m.version)
	c := cyclonedx.Component{
		Type: cyclonedx.ComponentTypeLibrary, Name: m.path, Version: m.version, BOMRef: purl, PackageURL: purl,
		Scope: scope, Licenses: licencesOf(m.ids()),
	}
	if m.sum != "" {
		c.Properties = &[]cyclonedx.Property{{Name: "go.sum", Value: m.sum}}
	}
	return c
}

// licencesOf returns licences by their identifiers. Those of patents are no licences of SPDX
// and go by their names.
func licencesOf(ids []string) *cyclonedx.Licenses {
	var list cyclonedx.Licenses
	for _, id := range ids {
		l := &cyclonedx.License{ID: id}
		if strings.HasPrefix(id, "GooglePatent") {
			l = &cyclonedx.License{Name: id}
		}
		list = append(list, cyclonedx.LicenseChoice{License: l})
	}
	if list == nil {
		return nil
	}
	return &list
}

// unlinked lists the modules of go.mod that no program holds.
func unlinked(ctx context.Context, root string, modules []module) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go mod edit: %w", told(err))
	}
	var file struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &file); err != nil {
		return nil, err
	}
	var others []module
	for _, r := range file.Require {
		if !slices.ContainsFunc(modules, func(m module) bool { return m.path == r.Path }) {
			others = append(others, module{path: r.Path, version: r.Version, kind: "golang"})
		}
	}
	return others, nil
}
