import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Page, PageQuery, field } from 'factline/nest';
import { type NotificationStatus, NotificationsRepository } from './notifications.repository.js';

export class NotificationQuery extends PageQuery {
  @field.id({ example: 'c-17', optional: true, description: 'Of one customer alone.' }) customerId?: string;
}

@ApiTags('notifications')
@Controller('notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsRepository) {}

  /** What customers were told, or why not; GET /jobs/:id with the same id tells how one under way goes. */
  @Get()
  list(@Query() query: NotificationQuery): Promise<Page<NotificationStatus>> {
    return query.page((behind, count) => this.notifications.list(query.customerId, behind, count), ({ id }) => id);
  }
}
