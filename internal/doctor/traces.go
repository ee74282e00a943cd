package doctor

import (
	"context"
	"fmt"
	"net/http"
)

// traces checks that the collector accepts traces.
func (e *checker) traces(ctx context.Context) []Result {
	const name = "traces"
	switch {
	case e.Unusable["OTEL_EXPORTER_OTLP_ENDPOINT"] || e.Unusable["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || e.Unusable["OTEL_EXPORTER_OTLP_HEADERS"]:
		return nil
	case e.TracesURL == "":
		return e.runChecks(ctx, known(name, pass("not exported: OTEL_EXPORTER_OTLP_ENDPOINT is not set")))
	}
	return e.runChecks(ctx, check{name, func(ctx context.Context) Result {
		status, err := e.SendTraces(ctx)
		return judgeTraces(e.TracesURL, status, err)
	}})
}

// judgeTraces judges an export by its error, or the status of the answer, 0 = accepted.
// It never fails: lost traces are harmless.
func judgeTraces(to string, status int, err error) Result {
	switch {
	case err != nil:
		return warn("they do not arrive at "+to+": "+reason(err), "check OTEL_EXPORTER_OTLP_ENDPOINT, and that the collector accepts OTLP over HTTP there")
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return warn(fmt.Sprintf("%s refuses them (HTTP %d)", to, status), "check OTEL_EXPORTER_OTLP_HEADERS")
	case status != 0:
		return warn(fmt.Sprintf("%s rejects them (HTTP %d)", to, status), "check the path in OTEL_EXPORTER_OTLP_ENDPOINT, and the collector")
	}
	return pass("exported to " + to)
}
