/** A gateway with its LIVE merchant at the simulator, as its control API names it. */
export interface TradingGateway {
  readonly name: string;
  readonly currency: string;
  /** The path of its control API below `/__sim`. */
  readonly control: string;
  readonly merchant: Readonly<Record<string, string>>;
  readonly storeId: string;
  /** How its file is read; null: Lenden reads its API. */
  readonly mapping: { readonly shipped: string } | null;
  readonly refunds: boolean;
}

export const TRADING_GATEWAYS: readonly TradingGateway[] = [
  {
    name: 'sslcommerz',
    currency: 'BDT',
    control: '',
    merchant: { storeId: 'lenden_live' },
    storeId: 'lenden_live',
    mapping: { shipped: 'sslcommerz' },
    refunds: true,
  },
  {
    name: 'bkash',
    currency: 'BDT',
    control: '/bkash',
    merchant: { username: 'lenden_live' },
    storeId: 'lenden_live',
    mapping: { shipped: 'bkash' },
    refunds: true,
  },
  {
    name: 'nagad',
    currency: 'BDT',
    control: '/nagad',
    merchant: { merchantId: '683000000000002' },
    storeId: '683000000000002',
    mapping: { shipped: 'nagad' },
    refunds: false,
  },
  {
    name: 'stripe',
    currency: 'USD',
    control: '/stripe',
    merchant: { account: 'acct_lenden_live' },
    storeId: 'acct_lenden_live',
    mapping: null,
    refunds: true,
  },
];
