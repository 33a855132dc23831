/** Links of one span: OpenTelemetry's SDKs keep 128 by default and drop what is more. */
export const SPAN_LINKS = 128;
