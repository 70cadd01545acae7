package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user of the image. Any other user works too.
const (
	imageUser = "65532"
	passwd    = "root:x:0:0:root:/root:/sbin/nologin\ndeeplimit:x:65532:65532:deeplimit:/work:/sbin/nologin\n"
	group     = "root:x:0:\ndeeplimit:x:65532:\n"
)

// writeImage writes the image of a program as an archive that `docker load` and `podman load`
// take: the program and what it asks a system for, on an empty base.
func writeImage(path string, id identity, p program) error {
	executable, err := os.ReadFile(p.path)
	if err != nil {
		return err
	}
	image, err := newImage(id, p.platform, executable)
	if err != nil {
		return err
	}
	tag, err := name.NewTag("deeplimit:" + strings.ReplaceAll(id.version, "+", "-"))
	if err != nil {
		return err
	}
	return tarball.WriteToFile(path, tag, image)
}

// newImage returns the image of a program.
func newImage(id identity, p platform, executable []byte) (v1.Image, error) {
	layers := make([]v1.Layer, 2)
	for i, entries := range [][]entry{ // the first one is the same in every release
		{
			{"etc/passwd", 0o644, []byte(passwd)},
			{"etc/group", 0o644, []byte(group)},
			{"etc/ssl/certs/ca-certificates.crt", 0o644, authorities()},
			{"tmp", 0o777 | fs.ModeDir | fs.ModeSticky, nil},
			{"work", 0o777 | fs.ModeDir | fs.ModeSticky, nil},
		},
		{{"usr/local/bin/deeplimit", 0o755, executable}},
	} {
		var layer bytes.Buffer
		if err := writeTar(&layer, entries, id.time); err != nil {
			return nil, err
		}
		var err error
		if layers[i], err = tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(layer.Bytes())), nil
		}, tarball.WithCompressedCaching); err != nil {
			return nil, err
		}
	}
	image, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = p.os, p.arch
	file.Config = v1.Config{
		Entrypoint: []string{"/usr/local/bin/deeplimit"},
		Env:        []string{"PATH=/usr/local/bin"},
		User:       imageUser + ":" + imageUser,
		WorkingDir: "/work",
		Labels: map[string]string{
			"org.opencontainers.image.title":    "deeplimit",
			"org.opencontainers.image.version":  id.version,
			"org.opencontainers.image.revision": id.commit,
			"org.opencontainers.image.licenses": "MIT",
		},
	}
	if image, err = mutate.ConfigFile(image, file); err != nil {
		return nil, err
	}
	if image, err = mutate.CreatedAt(image, v1.Time{Time: id.time}); err != nil {
		return nil, err
	}
	return image, nil
}

// authorities returns the certificates of Mozilla's list, without those whose constraints a
// file of certificates cannot tell. They come from a module, as those of this machine would
// make other bytes elsewhere.
func authorities() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			panic(fmt.Sprintf("release: certificate: %v", err)) // a buffer takes everything
		}
	}
	return b.Bytes()
}
