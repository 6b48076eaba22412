package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
)

// Sums is the result of a checksum.
type Sums struct {
	Files []File `json:"files"`
	Bytes int64  `json:"bytes"` // of all files that have a hash
}

// File has a hash, or the error that kept it from being read.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Error  string `json:"error,omitempty"`
}

// sumFiles hashes the regular files below dir, and reports its progress. A file that cannot be read
// is told of in the result; it is an error when dir itself cannot, or when ctx ends.
func sumFiles(ctx context.Context, dir fs.FS) (Sums, error) {
	sums, total, err := findFiles(ctx, dir)
	if err != nil {
		return Sums{}, err
	}
	m := newMeter(ctx, total)
	for i := range sums.Files {
		f := &sums.Files[i]
		if f.Error != "" {
			continue
		}
		hash, n, err := hashFile(dir, f.Path, m)
		if ctx.Err() != nil {
			return Sums{}, context.Cause(ctx)
		}
		m.progress.Total += n - f.Size // it may have changed since it was found
		if err != nil {
			f.Error = err.Error()
			continue
		}
		f.SHA256, f.Size = hash, n
		sums.Bytes += n
	}
	m.report()
	return sums, nil
}

// findFiles gives the regular files below dir, less those of Git, and their total size.
func findFiles(ctx context.Context, dir fs.FS) (found Sums, total int64, err error) {
	found.Files = []File{} // [] in JSON, not null
	err = fs.WalkDir(dir, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && path == ".":
			return err
		case err != nil:
			found.Files = append(found.Files, File{Path: path, Error: err.Error()})
			return nil
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		f := File{Path: path}
		if info, err := entry.Info(); err != nil {
			f.Error = err.Error()
		} else {
			f.Size = info.Size()
		}
		found.Files = append(found.Files, f)
		total += f.Size
		return nil
	})
	return found, total, err
}

// hashFile gives the hash of a file and how many bytes it has read, also when that fails.
func hashFile(dir fs.FS, path string, m *meter) (hash string, n int64, err error) {
	file, err := dir.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	h := sha256.New()
	m.progress.Message = path
	n, err = io.Copy(h, m.over(file))
	return hex.EncodeToString(h.Sum(nil)), n, err
}
