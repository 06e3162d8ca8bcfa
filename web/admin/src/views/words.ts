const en = {
  views: 'Saved views',
  all: 'Everything',
  save: 'Save this view',
  saveAct: 'Save the list as it is filtered now',
  name: 'Name',
  nameHint: 'A view with the same name is replaced. Only you see your views.',
  rename: 'Rename',
  renameAct: (name: string) => `Rename the view “${name}”`,
  delete: 'Delete',
  deleteAct: (name: string) => `Delete the view “${name}”`,
  deleteWhat: 'The list itself stays as it is.',
};

const bn: typeof en = {
  views: 'সংরক্ষিত ভিউ',
  all: 'সব',
  save: 'এই ভিউ সংরক্ষণ করুন',
  saveAct: 'এখনকার ফিল্টারসহ তালিকাটি সংরক্ষণ',
  name: 'নাম',
  nameHint: 'একই নামের ভিউ থাকলে সেটি বদলে যাবে। আপনার ভিউ শুধু আপনিই দেখেন।',
  rename: 'নাম বদলান',
  renameAct: (name) => `“${name}” ভিউয়ের নাম বদলানো`,
  delete: 'মুছুন',
  deleteAct: (name) => `“${name}” ভিউ মুছে ফেলা`,
  deleteWhat: 'তালিকাটি যেমন আছে তেমনই থাকবে।',
};

export const VIEW_WORDS = { en, bn } as const;
