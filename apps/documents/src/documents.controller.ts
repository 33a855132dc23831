import type { ServerResponse } from 'node:http';
import { Controller, Get, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiProduces, ApiTags } from '@nestjs/swagger';
import { type Answer, Context, type Page, PageQuery, RequestContext } from 'factline/nest';
import { EventStream } from 'factline/nest/commands';
import { FileBody, type ReceivedFile, TakesFile } from 'factline/nest/files';
import type { DocumentState } from './document-state.js';
import { DocumentWatch } from './document-watch.js';
import { DocumentId, NewDocument } from './documents.dto.js';
import { type DocumentRow, DocumentsRepository } from './documents.repository.js';
import { DocumentsService, type Uploaded } from './documents.service.js';
import { FILE_BYTES } from './limits.js';
import { MEDIA_TYPES } from './parser.js';

@ApiTags('documents')
@Controller('documents')
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsRepository,
    private readonly service: DocumentsService,
    private readonly watch: DocumentWatch,
  ) {}

  /** The body is the file. 202 with a new document, 200 with the one that has this content already. */
  @Post()
  @TakesFile({ mediaTypes: MEDIA_TYPES, bytes: FILE_BYTES })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'An upload repeated with the same key has its effect once.' })
  upload(@FileBody() file: ReceivedFile, @Query() document: NewDocument, @Context() request: RequestContext): Promise<Answer<Uploaded>> {
    return this.service.upload(file, document, request);
  }

  /** Other content in its place: nothing of the old is found any more. 200 when it has this content already. */
  @Put(':id/content')
  @TakesFile({ mediaTypes: MEDIA_TYPES, bytes: FILE_BYTES })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'An upload repeated with the same key has its effect once.' })
  replace(@Param() { id }: DocumentId, @FileBody() file: ReceivedFile, @Context() request: RequestContext): Promise<Answer<Uploaded>> {
    return this.service.replace(id, file, request);
  }

  @Get()
  list(@Query() query: PageQuery): Promise<Page<DocumentRow>> {
    return query.page((behind, count) => this.documents.list(behind, count), ({ id }) => id);
  }

  @Get(':id')
  state(@Param() { id }: DocumentId): Promise<DocumentState> {
    return this.watch.state(id);
  }

  /** Each event is the document as `GET /documents/:id` answers it, when it changed, over all stages; the last one is final, unless the service stops: then ask again. */
  @Get(':id/events')
  @ApiProduces('text/event-stream')
  async events(@Param() { id }: DocumentId, @Res() response: ServerResponse): Promise<void> {
    const events = new EventStream(response);
    await this.watch.follow(id, events.left, (state) => events.send(state.state, state));
    events.end();
  }
}
