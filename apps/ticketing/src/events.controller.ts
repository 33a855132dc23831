import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { Refusal, formatId, newId } from 'factline/kernel';
import { type Answer, Context, Idempotency, type Page, PageQuery, RequestContext, answer } from 'factline/nest';
import { Admission } from 'factline/nest/admission';
import { EventsRepository, type ListedSeat, type SeatCounts, type TicketedEvent } from './events.repository.js';
import { EventPath, NewEvent } from './ticketing.dto.js';

type EventStatus = TicketedEvent & { seats: SeatCounts };

@ApiTags('events')
@Admission()
@Controller('events')
export class EventsController {
  constructor(
    private readonly events: EventsRepository,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'A write repeated with the same key has its effect once.' })
  create(@Body() { id = formatId(newId()), rows, name, priceCents, currency }: NewEvent, @Context() request: RequestContext): Promise<Answer<EventStatus>> {
    if (new Set(rows.map(({ row }) => row)).size < rows.length) throw rowTwice();
    const names = rows.flatMap(({ row, seats }) => Array.from({ length: seats }, (_, nth) => `${row}-${nth + 1}`));
    const event = { id, name, priceCents, currency };
    return this.idempotency.transaction(request, async (tx) => {
      if (!(await this.events.create(tx, event, names))) throw exists(id);
      return answer({ ...event, seats: { free: names.length, locked: 0, sold: 0 } }, { status: 201, location: `/events/${encodeURIComponent(id)}` });
    });
  }

  @Get(':eventId')
  @Admission({ priority: 'sheddable' })
  async get(@Param() { eventId }: EventPath): Promise<EventStatus> {
    const event = await this.events.find(eventId);
    if (event) return event;
    throw unknown(eventId);
  }

  @Get(':eventId/seats')
  @Admission({ priority: 'sheddable' })
  async seats(@Param() { eventId }: EventPath, @Query() query: PageQuery): Promise<Page<ListedSeat>> {
    await this.get({ eventId });
    return query.page((behind, count) => this.events.seats(eventId, behind, count), ({ seat }) => seat);
  }
}

const rowTwice = () => new Refusal({ code: 'event.row-twice', kind: 'invalid', message: 'A row is listed twice.', advice: 'Send each row once, with all of its seats.' });
const exists = (id: string) => new Refusal({ code: 'event.exists', kind: 'conflict', message: `There is an event '${id}' already.`, advice: 'Take another id, or none.' });
const unknown = (id: string) => new Refusal({ code: 'event.unknown', kind: 'not-found', message: `There is no event '${id}'.`, advice: 'Check the id.' });
