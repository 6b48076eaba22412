// Package oteladapter gives the tasks of package fxtasks OpenTelemetry traces and metrics. It needs
// OpenTelemetry's API alone: the application chooses SDK and exporter.
package oteladapter
