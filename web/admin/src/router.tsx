import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { filterOf as paymentFilterOf } from './payments/filter.ts';
import { filterOf as refundFilterOf } from './refunds/filter.ts';
import { modeOf } from './shell/mode.ts';
import { RouteError } from './shell/route-error.tsx';
import { NotFound } from './shell/not-found.tsx';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: RouteError });
const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/$mode', params: { mode: 'live' }, replace: true });
  },
});
/** Every page names its mode in its address. */
const inMode = createRoute({
  getParentRoute: () => root,
  path: '/$mode',
  params: { parse: ({ mode }) => ({ mode: modeOf(mode) }), stringify: ({ mode }) => ({ mode }) },
  component: Shell,
});
const home = createRoute({
  getParentRoute: () => inMode,
  path: '/',
  component: lazyRouteComponent(() => import('./home/home-page.tsx'), 'HomePage'),
});
const payments = createRoute({
  getParentRoute: () => inMode,
  path: '/payments',
  validateSearch: paymentFilterOf,
  component: lazyRouteComponent(() => import('./payments/payments-page.tsx'), 'PaymentsPage'),
});
const payment = createRoute({
  getParentRoute: () => inMode,
  path: '/payments/$id',
  component: lazyRouteComponent(() => import('./payments/payment-page.tsx'), 'PaymentPage'),
});
const account = createRoute({
  getParentRoute: () => inMode,
  path: '/account',
  component: lazyRouteComponent(() => import('./account/account-page.tsx'), 'AccountPage'),
});
const search = createRoute({
  getParentRoute: () => inMode,
  path: '/search',
  validateSearch: ({ q }: Record<string, unknown>) => ({ q: typeof q === 'string' ? q.trim().slice(0, 255) : '' }),
  component: lazyRouteComponent(() => import('./search/search-page.tsx'), 'SearchPage'),
});
const refunds = createRoute({
  getParentRoute: () => inMode,
  path: '/refunds',
  validateSearch: refundFilterOf,
  component: lazyRouteComponent(() => import('./refunds/refunds-page.tsx'), 'RefundsPage'),
});
const refund = createRoute({
  getParentRoute: () => inMode,
  path: '/refunds/$id',
  component: lazyRouteComponent(() => import('./refunds/refund-page.tsx'), 'RefundPage'),
});

export const router = createRouter({
  basepath: '/admin',
  // The router's own way would read a search for `120.50` as a number.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const members = Object.entries(search).filter(([, value]) => typeof value === 'string' && value !== '');
    const text = new URLSearchParams(members as [string, string][]).toString();
    return text === '' ? '' : `?${text}`;
  },
  routeTree: root.addChildren([start, inMode.addChildren([home, account, search, payments, payment, refunds, refund])]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

/** Loads the code of every page. The router reloads the whole document if a page's code does not come, and without a connection nothing would be left. */
export async function loadEveryPage(): Promise<void> {
  await Promise.allSettled([
    import('./home/home-page.tsx'),
    import('./account/account-page.tsx'),
    import('./search/search-page.tsx'),
    import('./payments/payments-page.tsx'),
    import('./payments/payment-page.tsx'),
    import('./refunds/refunds-page.tsx'),
    import('./refunds/refund-page.tsx'),
  ]);
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
