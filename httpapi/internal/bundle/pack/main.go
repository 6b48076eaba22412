// Command pack writes assets.deflate from the files that the page consists of. It is run by go generate,
// in the directory of package httpapi.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/fxtasks/background/httpapi/internal/bundle"
)

func main() {
	paths, err := filepath.Glob("assets/*")
	if err != nil {
		log.Fatal(err)
	}
	files := make(map[string]string)
	for _, path := range append(paths, "openapi.json") {
		content, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		files[filepath.ToSlash(path)] = string(content)
	}
	packed, err := bundle.Pack(files)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("assets.deflate", packed, 0o644); err != nil {
		log.Fatal(err)
	}
}
