// Command pack writes assets.deflate from the files that the page consists of. It is run by go generate,
// in the directory of package httpapi.
package main

import (
	"log"
	"os"

	"github.com/fxtasks/background/httpapi/internal/bundle"
)

func main() {
	files, err := bundle.Read(os.DirFS("."), "assets/*", "openapi.json")
	if err != nil {
		log.Fatal(err)
	}
	packed, err := bundle.Pack(files)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("assets.deflate", packed, 0o644); err != nil {
		log.Fatal(err)
	}
}
