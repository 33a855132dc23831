/** What a REST call came back with. */
export interface RestAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

const REQUEST_TIMEOUT = 15_000;

/** One call; `Connection: close`, so that nothing of it outlives it. */
export async function ask(url: string, method = 'GET', body?: object, headers: Readonly<Record<string, string>> = {}, timeoutMs: number = REQUEST_TIMEOUT): Promise<RestAnswer> {
  const answer = await fetch(url, {
    method,
    headers: { connection: 'close', ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
}
