import { Body, Controller, Delete, HttpCode, Param, Post } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Answer, Context, RequestContext } from 'factline/nest';
import { Admission } from 'factline/nest/admission';
import { LocksService, type Waiting } from './locks.service.js';
import type { Sale, SeatLock } from './seats.service.js';
import { LockPath, NewLock, SeatPath } from './ticketing.dto.js';

@ApiTags('locks')
@ApiHeader({ name: 'Idempotency-Key', required: false, description: 'A write repeated with the same key has its effect once.' })
@Admission()
@Controller('events/:eventId/seats/:seat/locks')
export class LocksController {
  constructor(private readonly locks: LocksService) {}

  @Post()
  @ApiResponse({ status: 201, description: 'Locked: the seat is held until lockedUntil for who has the lockId.' })
  @ApiResponse({ status: 202, description: 'More is asked than is done at once: GET /jobs/<job> tells the position, and in the end what came of it.' })
  @ApiResponse({ status: 409, description: 'Somebody else has the seat (seat.taken).' })
  lock(@Param() place: SeatPath, @Body() { customerId }: NewLock, @Context() request: RequestContext): Promise<Answer<SeatLock | Waiting>> {
    return this.locks.lock(place, customerId, request);
  }

  /** Who has got as far as to pay is not turned away. */
  @Post(':lockId/purchase')
  @HttpCode(200)
  @Admission({ priority: 'critical' })
  purchase(@Param() { lockId, ...place }: LockPath, @Context() request: RequestContext): Promise<Answer<Sale>> {
    return this.locks.purchase(place, lockId, request);
  }

  @Delete(':lockId')
  @HttpCode(204)
  giveBack(@Param() { lockId, ...place }: LockPath, @Context() request: RequestContext): Promise<Answer<void>> {
    return this.locks.giveBack(place, lockId, request);
  }
}
