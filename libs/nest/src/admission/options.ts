import type { Load, LoadLimits, Priority, Rate } from 'factline/admission';
import type { HttpRequest } from '../http/exchange.js';

/** How an app tells its clients apart, and when it has too much to do. */
export interface AdmissionOptions {
  /**
   * Who asks: the owner of a rate. Default: the authenticated subject, where a guard or middleware before this one left one in `request.user` (text, or its `sub` or `id`),
   * else the remote address (IPv6: its /64 network, which one client has to itself). Undefined: this request is not limited.
   */
  client?: (request: HttpRequest) => string | undefined;
  /**
   * Whose `X-Forwarded-For` is believed, as Express' `trust proxy` takes it: the number of proxies in front, or their addresses. Default: nobody's, since any client can write
   * one. Behind a proxy all clients have its address and share one rate until this is set.
   */
  trustProxy?: number | string | readonly string[];
  /** For routes that declare none. Default: no rate. */
  rate?: RateChoice;
  /** What is too much: see `LoadLimits`; Infinity for a signal that does not matter. */
  limits?: Partial<LoadLimits>;
  /** Requests under way in this process, fewer than which are always admitted. Default 10. */
  minConcurrency?: number;
  /** What the service measures of itself, if not this: for specs. */
  measure?: () => Load;
}

export interface RateChoice extends Rate {
  /** What may be asked at once after a silence. Default: the count. */
  burst?: number;
  /** See `TokenBucketOptions`. */
  whenUnavailable?: 'open' | 'closed';
}

export interface AdmissionChoice {
  /** What is shed first, last, or (critical) never. Default normal. */
  priority?: Priority;
  /** Tokens that one request takes of the client's rate. Default 1. */
  cost?: number;
  /** Requests that each client may make; false: as many as it likes. On a controller all its routes share it, on a method it is the route's own. Default: the module's. */
  rate?: RateChoice | false;
}
