import { defineEntity, p } from '@mikro-orm/core';
import { MODES } from '../../domain/mode.ts';

/** A list of the dashboard as one operator wants to see it again. */
export const SavedViewSchema = defineEntity({
  name: 'SavedView',
  tableName: 'saved_views',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    operatorId: p.bigint('bigint'),
    page: p.text(),
    mode: p.enum(MODES),
    name: p.text(),
    query: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});
export class SavedView extends SavedViewSchema.class {}
SavedViewSchema.setClass(SavedView);
