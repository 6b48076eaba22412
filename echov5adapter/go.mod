module github.com/fxtasks/background/echov5adapter

go 1.26.0

require (
	github.com/fxtasks/background v0.0.0
	github.com/google/uuid v1.6.0
	github.com/labstack/echo/v5 v5.4.5
	go.uber.org/fx v1.24.0
	go.uber.org/goleak v1.3.0
	go.uber.org/zap v1.28.0
)

require (
	go.uber.org/dig v1.19.0 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
)

replace github.com/fxtasks/background => ../
