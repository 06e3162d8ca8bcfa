const en = {
  title: 'Audit log',
  why: 'Who did what, and what was refused. Nobody can change or remove an entry.',
  empty: 'No entry matches.',
  when: 'When',
  actor: 'Who',
  action: 'Action',
  target: 'Target',
  targetType: 'Kind of target',
  targetId: 'Target’s id',
  address: 'Address',
  requestId: 'Request id',
  details: 'Details',
  show: 'Show',
  actorType: 'Kind of actor',
  actorTypes: { USER: 'Operator', APP: 'Application', SYSTEM: 'Lenden' },
};

const bn: typeof en = {
  title: 'অডিট লগ',
  why: 'কে কী করেছেন, আর কী প্রত্যাখ্যান করা হয়েছে। কেউ কোনো লেখা বদলাতে বা মুছতে পারেন না।',
  empty: 'এমন কিছু নেই।',
  when: 'কখন',
  actor: 'কে',
  action: 'কাজ',
  target: 'কীসের ওপর',
  targetType: 'লক্ষ্যের ধরন',
  targetId: 'লক্ষ্যের আইডি',
  address: 'ঠিকানা',
  requestId: 'অনুরোধের আইডি',
  details: 'বিস্তারিত',
  show: 'দেখুন',
  actorType: 'কর্তার ধরন',
  actorTypes: { USER: 'অপারেটর', APP: 'অ্যাপ্লিকেশন', SYSTEM: 'লেনদেন' },
};

export const AUDIT_WORDS = { en, bn } as const;
