package main

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
)

// An entry is a file of an archive.
type entry struct {
	name string // with slashes
	mode fs.FileMode
	data []byte
}

// sorted returns entries by name, and refuses a name that stands twice.
func sorted(entries []entry) ([]entry, error) {
	entries = slices.SortedFunc(slices.Values(entries), func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	for i := 1; i < len(entries); i++ {
		if entries[i].name == entries[i-1].name {
			return nil, fmt.Errorf("archive: got two files %s, want one", entries[i].name)
		}
	}
	return entries, nil
}

// writeTar writes entries by name, all of one time and of user and group 0: the same entries
// give the same bytes.
func writeTar(w io.Writer, entries []entry, at time.Time) error {
	entries, err := sorted(entries)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: int64(e.mode.Perm()), Size: int64(len(e.data)), ModTime: at, Format: tar.FormatUSTAR, Typeflag: tar.TypeReg}
		if e.mode.IsDir() {
			header.Name, header.Typeflag = e.name+"/", tar.TypeDir
		}
		if e.mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(e.data); err != nil {
			return err
		}
	}
	return archive.Close()
}

// writeTarGz compresses what writeTar writes.
func writeTarGz(w io.Writer, entries []entry, at time.Time) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	return errors.Join(writeTar(compressed, entries, at), compressed.Close())
}

// writeZip writes a zip as writeTar writes a tar.
func writeZip(w io.Writer, entries []entry, at time.Time) error {
	entries, err := sorted(entries)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at}
		header.SetMode(e.mode)
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := file.Write(e.data); err != nil {
			return err
		}
	}
	return archive.Close()
}
