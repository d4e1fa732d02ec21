"""Colour tables of ColorBrewer, by their names there, which Ascent's Devil Ray uses as well.

In: nothing. Out: evenly spaced colours, as six hexadecimal digits. Color specifications and designs
were developed by Cynthia Brewer (https://colorbrewer2.org): 9 classes of sequential, 11 of
diverging tables, all of qualitative ones.
"""

from __future__ import annotations

COLOR_BREWER: dict[str, str] = {
    "Accent": "7fc97f beaed4 fdc086 ffff99 386cb0 f0027f bf5b17 666666",
    "Blues": ("f7fbff deebf7 c6dbef 9dcae1 6aaed6 4191c6 2070b4 08509b 08306b"),
    "BrBG": ("543005 8b500a bf812d dec17b f6e8c3 f4f5f5 c7eae5 7fccc0 35978f 01655d 003c30"),
    "BuGn": ("f7fcfd e5f5f9 ccece6 98d8c9 65c2a3 40ad75 228a44 006c2c 00441b"),
    "BuPu": ("f7fcfd e0ecf4 bfd3e6 9ebcda 8c95c6 8c6ab1 88409c 800f7b 4d004b"),
    "Dark2": "1b9e77 d95f02 7570b3 e7298a 66a61e e6ab02 a6761d 666666",
    "GnBu": ("f7fcf0 e0f3db ccebc5 a7ddb5 7accc4 4db2d3 2a8bbe 0867ab 084081"),
    "Greens": ("f7fcf5 e5f5e0 c7e9c0 a0d99b 73c476 40aa5d 228a44 006c2c 00441b"),
    "Greys": ("ffffff f0f0f0 d9d9d9 bdbdbd 959595 727272 515151 242424 000000"),
    "OrRd": ("fff7ec fee8c8 fdd49e fdba83 fc8c59 ef6447 d62f1e b20000 7f0000"),
    "Oranges": ("fff5eb fee6ce fdd0a2 fdae6a fd8c3b f16813 d84801 a53603 7f2704"),
    "PRGn": ("40004b 752982 9970ab c1a4ce e7d4e8 f6f7f6 d9f0d3 a5da9f 5aae61 1a7736 00441b"),
    "Paired": (
        "a6cee3 1f78b4 b2df8a 33a02c fb9a99 e31a1c fdbf6f ff7f00 cab2d6 6a3d9a ffff99 b15928"
    ),
    "Pastel1": ("fbb4ae b3cde3 ccebc5 decbe4 fed9a6 ffffcc e5d8bd fddaec f2f2f2"),
    "Pastel2": "b3e2cd fdcdac cbd5e8 f4cae4 e6f5c9 fff2ae f1e2cc cccccc",
    "PiYG": ("8e0152 c41a7c de77ae f1b5d9 fde0ef f7f7f6 e6f5d0 b7e085 7fbc41 4c9121 276419"),
    "PuBu": ("fff7fb ece7f2 d0d1e6 a5bddb 73a9cf 358fc0 056faf 04598c 023858"),
    "PuBuGn": ("fff7fb ece2f0 d0d1e6 a5bddb 66a9cf 3590bf 028189 016b58 014636"),
    "PuOr": ("7f3b08 b25706 e08214 fcb761 fee0b6 f6f6f7 d8daeb b1aad1 8073ac 532687 2d004b"),
    "PuRd": ("f7f4f9 e7e1ef d4b9da c993c7 df64af e72989 cd1256 970042 67001f"),
    "Purples": ("fcfbfd efedf5 dadaeb bcbddc 9e9ac8 807cba 6950a3 53268f 3f007d"),
    "RdBu": ("67001f b1182b d6604d f3a481 fddbc7 f6f7f7 d1e5f0 90c4dd 4393c3 2065ab 053061"),
    "RdGy": ("67001f b1182b d6604d f3a481 fddbc7 fefefe e0e0e0 b9b9b9 878787 4c4c4c 1a1a1a"),
    "RdPu": ("fff7f3 fde0dd fcc5c0 fa9eb5 f767a1 dc3397 ad017e 790177 49006a"),
    "RdYlBu": ("a50026 d62f27 f46d43 fdad60 fee090 feffc0 e0f3f8 aad8e9 74add1 4574b3 313695"),
    "RdYlGn": ("a50026 d62f27 f46d43 fdad60 fee08b feffbe d9ef8b a5d86a 66bd63 199750 006837"),
    "Reds": ("fff5f0 fee0d2 fcbba1 fc9272 fb694a ee3a2c ca181d a30f15 67000d"),
    "Set1": ("e41a1c 377eb8 4daf4a 984ea3 ff7f00 ffff33 a65628 f781bf 999999"),
    "Set2": "66c2a5 fc8d62 8da0cb e78ac3 a6d854 ffd92f e5c494 b3b3b3",
    "Set3": ("8dd3c7 ffffb3 bebada fb8072 80b1d3 fdb462 b3de69 fccde5 d9d9d9 bc80bd ccebc5 ffed6f"),
    "Spectral": ("9e0142 d43d4f f46d43 fdad60 fee08b ffffbe e6f598 aadca4 66c2a5 3387bc 5e4fa2"),
    "YlGn": ("ffffe5 f7fcb9 d9f0a3 acdd8e 77c679 40aa5c 228343 006737 004529"),
    "YlGnBu": ("ffffd9 edf8b1 c6e9b4 7ecdbb 40b5c4 1d90c0 225da8 243392 081d58"),
    "YlOrBr": ("ffffe5 fff7bc fee390 fec34f fe9829 eb6f14 cb4b02 983404 662506"),
    "YlOrRd": ("ffffcc ffeda0 fed976 feb24c fd8c3c fc4d2a e2191c bb0026 800026"),
}
