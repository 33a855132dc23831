import { Injectable } from '@nestjs/common';
import { type Executor, Store, type Tx } from 'factline/store';
import type { Language } from './documents.tables.js';
import type { Unusable } from './parser.js';

/** What comes next for a document, or what became of it. */
export type Stage = 'PARSE' | 'CHUNK' | 'INDEX' | 'INDEXED' | 'FAILED';

export interface DocumentRow {
  readonly id: string;
  readonly name: string;
  readonly language: Language;
  /** Which content: each replacement is one more. */
  readonly version: number;
  readonly mediaType: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly uploadedAt: Date;
  readonly stage: Stage;
  /** Of the command that does, or did, the stage. */
  readonly job: string;
  readonly pages: number | null;
  readonly characters: number | null;
  readonly chunks: number | null;
  /** Why it failed. */
  readonly reason: Unusable | null;
}

export interface Content {
  readonly mediaType: string;
  readonly sha256: string;
  readonly content: Buffer;
}

export interface Chunk {
  readonly page: number;
  readonly text: string;
}

type Reached = Partial<Pick<DocumentRow, 'pages' | 'characters' | 'chunks' | 'reason'>>;

const COLUMNS = 'id, name, language, version, media_type as "mediaType", bytes, sha256, uploaded_at as "uploadedAt", stage, job, pages, characters, chunks, reason';

/** Documents, what was read out of them, and what is found. */
@Injectable()
export class DocumentsRepository {
  constructor(private readonly store: Store) {}

  async find(id: string): Promise<DocumentRow | undefined> {
    return (await this.store.query<DocumentRow>(`select ${COLUMNS} from document where id = $1`, [id])).rows[0];
  }

  /** The one that has this content. */
  async findSame(tx: Executor, sha256: string): Promise<Pick<DocumentRow, 'id' | 'version' | 'job'> | undefined> {
    return (await tx.query<DocumentRow>('select id, version, job from document where sha256 = $1', [sha256])).rows[0];
  }

  /** In the order of ids, which is that of the uploads, behind `after`. */
  async list(after: string, rows: number): Promise<DocumentRow[]> {
    return (await this.store.query<DocumentRow>(`select ${COLUMNS} from document where id > $1 order by id limit $2`, [after, rows])).rows;
  }

  /** false: there is one with this content. */
  async add(tx: Tx, { id, name, language, uploadedAt }: Pick<DocumentRow, 'id' | 'name' | 'language' | 'uploadedAt'>, { mediaType, sha256, content }: Content): Promise<boolean> {
    const { rowCount } = await tx.query(
      `insert into document (id, name, language, version, media_type, bytes, sha256, content, uploaded_at, stage) values ($1, $2, $3, 1, $4, $5, $6, $7, $8, 'PARSE') on conflict (sha256) do nothing`,
      [id, name, language, mediaType, content.length, sha256, content, uploadedAt],
    );
    return rowCount === 1;
  }

  /** Puts other content in the place of the old, of which nothing is found any more. undefined: there is no such document, or it has this content. */
  async replace(tx: Tx, id: string, { mediaType, sha256, content }: Content, uploadedAt: Date): Promise<DocumentRow | undefined> {
    const { rows } = await tx.query<DocumentRow>(
      `update document set version = version + 1, media_type = $2, bytes = $3, sha256 = $4, content = $5, uploaded_at = $6, stage = 'PARSE', pages = null, characters = null, chunks = null, reason = null
       where id = $1 and sha256 <> $4 returning ${COLUMNS}`,
      [id, mediaType, content.length, sha256, content, uploadedAt],
    );
    // The row is locked: nobody writes pages or pieces of the old content behind this.
    if (rows[0]) for (const table of ['page', 'chunk']) await tx.query(`delete from ${table} where document_id = $1`, [id]);
    return rows[0];
  }

  async follow(tx: Tx, id: string, job: string): Promise<void> {
    await tx.query('update document set job = $2 where id = $1', [id, job]);
  }

  /** undefined: it was replaced. */
  async contentOf(tx: Tx, id: string, version: number): Promise<Pick<Content, 'mediaType' | 'content'> | undefined> {
    return (await tx.query<Content>('select media_type as "mediaType", content from document where id = $1 and version = $2', [id, version])).rows[0];
  }

  /** Moves a document on, and holds it until the transaction ends. undefined: it was replaced. */
  async reach(tx: Tx, id: string, version: number, stage: Stage, { pages, characters, chunks, reason }: Reached = {}): Promise<DocumentRow | undefined> {
    const { rows } = await tx.query<DocumentRow>(
      `update document set stage = $3, pages = coalesce($4, pages), characters = coalesce($5, characters), chunks = coalesce($6, chunks), reason = $7 where id = $1 and version = $2 returning ${COLUMNS}`,
      [id, version, stage, pages, characters, chunks, reason],
    );
    return rows[0];
  }

  async addPages(tx: Tx, id: string, pages: readonly string[]): Promise<void> {
    await tx.query('insert into page (document_id, page, text) select $1, number, text from unnest($2::text[]) with ordinality as parsed (text, number)', [id, pages]);
  }

  /** They are gone with the commit that cuts them. */
  async takePages(tx: Tx, id: string): Promise<Chunk[]> {
    return (await tx.query<Chunk>('with taken as (delete from page where document_id = $1 returning page, text) select page, text from taken order by page', [id])).rows;
  }

  async addChunks(tx: Tx, { id, language }: DocumentRow, chunks: readonly Chunk[]): Promise<void> {
    await tx.query(
      'insert into chunk (document_id, number, page, text, language) select $1, number, page, text, $2 from unnest($3::integer[], $4::text[]) with ordinality as cut (page, text, number)',
      [id, language, chunks.map(({ page }) => page), chunks.map(({ text }) => text)],
    );
  }

  /** From the commit on they are found. @returns how many. */
  async index(tx: Tx, id: string): Promise<number> {
    return (await tx.query('update chunk set indexed = true where document_id = $1', [id])).rowCount;
  }
}
