import type { AvroNode } from '../avro-json.js';
import type { CompatibilityLevel } from '../facts.js';

/** Every version of facts that was registered, as the lock file or a registry has them: what lies on topics may be written with any of them. */
export interface History {
  /** `lock`, `registry http://...`. */
  readonly name: string;
  /** The file it was read from, below the root; absent: a registry. */
  readonly file?: string;
  /** By subject, which is the full name of the fact. */
  readonly subjects: ReadonlyMap<string, RegisteredSubject>;
}

export interface RegisteredSubject {
  /** What the registry enforces; absent: what it enforces by default. */
  readonly level?: CompatibilityLevel;
  /** Oldest first. */
  readonly versions: readonly RegisteredVersion[];
}

/** One version. Its schema is a record in our words, which can be walked through: see `registeredRecord`. */
export interface RegisteredVersion {
  readonly version: number;
  readonly id: number;
  readonly schema: AvroNode;
}
