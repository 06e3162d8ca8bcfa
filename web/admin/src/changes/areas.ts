import type { ChangeStatus } from '../../../../domain/pending-change.ts';
import { api } from '../api/client.ts';
import type { Permission } from '../api/names.ts';
import type { PageQuery } from '../parts/list.tsx';
import type { AREAS } from './filter.ts';

export type Area = (typeof AREAS)[number];

interface Query extends PageQuery {
  readonly status?: ChangeStatus;
}

/** The three lists of changes, each with the permission that it takes. */
export const CHANGES = {
  applications: {
    permission: 'app:manage',
    list: (query: Query) => api.GET('/admin/pending-changes', { params: { query } }),
    confirm: (id: number) => api.POST('/admin/pending-changes/{id}/confirm', { params: { path: { id } } }),
    reject: (id: number, reason: string) =>
      api.POST('/admin/pending-changes/{id}/reject', { params: { path: { id } }, body: { reason } }),
    withdraw: (id: number) => api.POST('/admin/pending-changes/{id}/withdraw', { params: { path: { id } } }),
  },
  operators: {
    permission: 'user:manage',
    list: (query: Query) => api.GET('/admin/pending-operator-changes', { params: { query } }),
    confirm: (id: number) => api.POST('/admin/pending-operator-changes/{id}/confirm', { params: { path: { id } } }),
    reject: (id: number, reason: string) =>
      api.POST('/admin/pending-operator-changes/{id}/reject', { params: { path: { id } }, body: { reason } }),
    withdraw: (id: number) => api.POST('/admin/pending-operator-changes/{id}/withdraw', { params: { path: { id } } }),
  },
  reconciliation: {
    permission: 'reconciliation:manage',
    list: (query: Query) => api.GET('/admin/pending-reconciliation-changes', { params: { query } }),
    confirm: (id: number) =>
      api.POST('/admin/pending-reconciliation-changes/{id}/confirm', { params: { path: { id } } }),
    reject: (id: number, reason: string) =>
      api.POST('/admin/pending-reconciliation-changes/{id}/reject', { params: { path: { id } }, body: { reason } }),
    withdraw: (id: number) =>
      api.POST('/admin/pending-reconciliation-changes/{id}/withdraw', { params: { path: { id } } }),
  },
} as const satisfies Record<Area, { readonly permission: Permission; readonly [act: string]: unknown }>;
