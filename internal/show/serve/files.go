package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// stall is the longest time for which a client may read nothing of a download.
const stall = 30 * time.Second

// A fileInfo is a file that can be downloaded.
type fileInfo struct {
	Name string    `json:"name"` // below the folder, with slashes
	Size int64     `json:"size"`
	Time time.Time `json:"time"`
}

// maxFiles bounds the list of files of a folder.
const maxFiles = 500

// files lists the regular files of a folder and of the named subfolders, without links and hidden
// files.
func (s *study) files(within string, subfolders ...string) ([]fileInfo, error) {
	list := []fileInfo{}
	for _, sub := range append([]string{""}, subfolders...) {
		entries, err := fs.ReadDir(s.root.FS(), path.Join(within, sub))
		if err != nil {
			if sub != "" && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return nil, err
		}
		for _, entry := range entries {
			status, err := entry.Info()
			if err != nil || !status.Mode().IsRegular() || entry.Name()[0] == '.' || len(list) >= maxFiles {
				continue
			}
			list = append(list, fileInfo{path.Join(sub, entry.Name()), status.Size(), status.ModTime()})
		}
	}
	return list, nil
}

// download sends a file of a study or run folder, always as an attachment.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	if err := s.sendFile(w, r, ""); err != nil {
		refuse(w, statusOf(err), err.Error())
	}
}

// reportPolicy shows a page of the report and its figures without scripts, forms or anything from elsewhere, as the folder may be
// anyone's.
const reportPolicy = "sandbox allow-same-origin allow-popups; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// reportTypes are the files of a report that are shown; others are sent as attachments.
var reportTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".pdf": "application/pdf", ".csv": "text/plain; charset=utf-8",
}

// report sends a file of the report of a study, to be looked at.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	if err := s.sendFile(w, r, "report"); err != nil {
		refuse(w, statusOf(err), err.Error())
	}
}

// sendFile sends a file below a subfolder of a study or run folder: that of the report is shown, every other an attachment.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, sub string) error {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return err
	}
	within := study.within
	if run := r.PathValue("run"); run != "" {
		if !isName(run) {
			return missing("run", run)
		}
		within = study.runPath(run)
	}
	name := r.PathValue("file")
	for part := range strings.SplitSeq(name, "/") {
		if !isName(part) {
			return missing("file", name)
		}
	}
	file, err := openRegular(study.root, path.Join(within, sub, name))
	if err != nil {
		return errors.Join(missing("file", name), err)
	}
	defer file.Close()
	status, err := file.Stat()
	if err != nil {
		return missing("file", name)
	}
	connectionOf(r).stream()
	header := w.Header()
	kind, shown := reportTypes[path.Ext(name)]
	if shown = shown && sub != ""; shown {
		header.Set("Content-Type", kind)
		header.Set("Content-Security-Policy", reportPolicy)
	} else {
		header.Set("Content-Type", "application/octet-stream")
		header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}))
	}
	http.ServeContent(&steady{w, http.NewResponseController(w)}, r, "", status.ModTime(), file)
	return nil
}

// openRegular opens a regular file inside root, which refuses links that lead out of it. It does
// not wait for the writer of a pipe.
func openRegular(root *os.Root, name string) (*os.File, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if status, err := file.Stat(); err != nil || !status.Mode().IsRegular() {
		return nil, errors.Join(missing("file", name), err, file.Close())
	}
	return file, nil
}

// steady gives each part of a long answer its own deadline, so that the whole may take any time
// while the client keeps reading.
type steady struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (s *steady) Write(data []byte) (int, error) {
	if err := s.control.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return 0, fmt.Errorf("serve: %w", err)
	}
	return s.ResponseWriter.Write(data)
}
