import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

/**
 * Registers what makes spans, once for the process: every answer then has the id of its trace. The spans go to OTEL_EXPORTER_OTLP_ENDPOINT
 * where that is set, and nowhere else.
 */
export function startTracing(): void {
  const endpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
  new NodeTracerProvider({ spanProcessors: endpoint ? [new BatchSpanProcessor(new OTLPTraceExporter())] : [] }).register()
}
