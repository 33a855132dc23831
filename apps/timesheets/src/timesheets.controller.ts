import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { type Answer, Context, type Page, PageQuery, ReadsFrom, RequestContext } from 'factline/nest';
import { type Job, JobsService } from './jobs.service.js';
import { type Location, LocationsService } from './locations.service.js';
import { TimeEntriesService, type TimeEntry } from './time-entries.service.js';
import { NewJob, NewLocation, NewTimeEntry, TimeEntryQuery } from './timesheets.dto.js';

const idempotent = { name: 'Idempotency-Key', required: false, description: 'A write repeated with the same key has its effect once.' };

@ApiTags('locations')
@ApiHeader(idempotent)
@Controller('locations')
export class LocationsController {
  constructor(private readonly locations: LocationsService) {}

  @Post()
  open(@Body() body: NewLocation, @Context() request: RequestContext): Promise<Answer<Location>> {
    return this.locations.open(body, request);
  }

  @Post(':id/closing')
  @HttpCode(200)
  close(@Param('id') id: string, @Context() request: RequestContext): Promise<Answer<Location>> {
    return this.locations.close(id, request);
  }

  @Get()
  list(@Query() query: PageQuery): Promise<Page<Location>> {
    return query.page((behind, count) => this.locations.list(behind, count), ({ id }) => id);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<Location> {
    return this.locations.get(id);
  }
}

@ApiTags('jobs')
@ApiHeader(idempotent)
@Controller('jobs')
export class JobsController {
  constructor(private readonly jobs: JobsService) {}

  @Post()
  open(@Body() body: NewJob, @Context() request: RequestContext): Promise<Answer<Job>> {
    return this.jobs.open(body, request);
  }

  @Post(':id/closing')
  @HttpCode(200)
  close(@Param('id') id: string, @Context() request: RequestContext): Promise<Answer<Job>> {
    return this.jobs.close(id, request);
  }

  @Get()
  list(@Query() query: PageQuery): Promise<Page<Job>> {
    return query.page((behind, count) => this.jobs.list(behind, count), ({ id }) => id);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<Job> {
    return this.jobs.get(id);
  }
}

@ApiTags('time entries')
@ApiHeader(idempotent)
@Controller('time-entries')
export class TimeEntriesController {
  constructor(private readonly entries: TimeEntriesService) {}

  /** Reads from `staff`: with hr's token it waits for the employee who was hired just now. */
  @Post()
  @ReadsFrom('staff')
  record(@Body() body: NewTimeEntry, @Context() request: RequestContext): Promise<Answer<TimeEntry>> {
    return this.entries.record(body, request);
  }

  @Get()
  list(@Query() query: TimeEntryQuery): Promise<Page<TimeEntry>> {
    return query.page((behind, count) => this.entries.list(query.employeeId, behind, count), ({ id }) => id);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<TimeEntry> {
    return this.entries.get(id);
  }
}
