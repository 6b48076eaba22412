# The modules of this repo. The root comes first: what it is, users get.
MODULES     = . echov5adapter oteladapter riveradapter benchmarks examples e2e
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: test race lint bench soak ci

test: ## all tests of all modules
	go test work

race: ## the same with the race detector, each test 20 times
	go test -race -count=20 work

lint: ## formatting, vet, staticcheck, tidy go.mod files
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	@for m in $(MODULES); do ( set -e; cd $$m; echo "lint $$m"; \
		go mod tidy -diff; go vet ./...; go run $(STATICCHECK) ./...; ) || exit 1; done

bench: ## what a task costs, beside its peers; writes docs/benchmarks.md
	go run ./benchmarks

soak: ## a minute of everything that can go wrong
	go run -race ./e2e/soak -for 60s

ci: ## what decides whether a change lands
	bash .ci/run
