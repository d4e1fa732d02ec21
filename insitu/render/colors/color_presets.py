"""Colour tables as their sources publish them.

In: nothing. Out: by name, the colour space in which colours are blended (`color_spaces.BLENDS`) and
the control points: `position:rrggbb`, or evenly spaced `rrggbb`. Rounding to bytes, and for those
of matplotlib every fifth of 256 colours (of Cividis those that a line between others misses),
changes no channel by more than 2.1/255.
"""

from __future__ import annotations

MATPLOTLIB: dict[str, tuple[str, str]] = {
    "Viridis": (
        "RGB",
        "440154 46085c 471063 481769 481d6f 482475 472a7a 46307e 453781 433d84 414287 3f4889 "
        "3d4e8a 3a538b 38598c 355e8d 33638d 31688e 2e6d8e 2c718e 2a768e 297b8e 27808e 25848e "
        "23898e 218e8d 20928c 1f978b 1e9c89 1fa188 21a585 24aa83 28ae80 2eb37c 35b779 3dbc74 "
        "46c06f 50c46a 5ac864 65cb5e 70cf57 7cd250 89d548 95d840 a2da37 b0dd2f bddf26 cae11f "
        "d8e219 e5e419 f1e51d fde725",
    ),
    "Inferno": (
        "RGB",
        "000004 02020c 050417 0a0722 10092d 160b39 1e0c45 260c51 2f0a5b 380962 400a67 490b6a "
        "510e6c 59106e 61136e 69166e 71196e 781c6d 801f6c 88226a 902568 982766 a02a63 a82e5f "
        "b0315b b73557 bf3952 c63d4d cc4248 d34743 d94d3d df5337 e45a31 e9612b ed6925 f1711f "
        "f47918 f78212 f98b0b fa9407 fb9d07 fca60c fcb014 fbba1f fac42a f8cd37 f6d746 f4e156 "
        "f2ea69 f2f27d f5f992 fcffa4",
    ),
    "Plasma": (
        "RGB",
        "0d0887 1b068d 260591 2f0596 38049a 41049d 4903a0 5102a3 5901a5 6100a7 6900a8 7100a8 "
        "7801a8 8004a8 8707a6 8e0ca4 9511a1 9c179e a21d9a a82296 ae2892 b42e8d ba3388 bf3984 "
        "c43e7f c9447a cd4a76 d24f71 d6556d da5b69 de6164 e26660 e66c5c e97257 ed7953 f07f4f "
        "f3854b f58c46 f79342 f99a3e fba139 fca835 fdaf31 feb72d febe2a fdc627 fcce25 fbd724 "
        "f8df25 f6e826 f3f027 f0f921",
    ),
    "Magma": (
        "RGB",
        "000004 02020b 050416 090720 0e0b2b 140e36 1a1042 21114e 29115a 311165 390f6e 420f75 "
        "4a1079 52137c 5a167e 621980 6a1c81 721f81 792282 812581 892881 912b81 992d80 a1307e "
        "aa337d b2357b ba3878 c23b75 ca3e72 d2426f d9466b e04c67 e75263 ec5860 f1605d f4695c "
        "f7725c f97b5d fb8560 fc8e64 fd9869 fea16e feaa74 feb47b febd82 fec68a fecf92 fed89a "
        "fde2a3 fdebac fcf4b6 fcfdbf",
    ),
    "Turbo": (
        "RGB",
        "30123b 36215f 3b2f80 3f3e9c 424bb5 4559cb 4666dd 4773eb 4680f6 458cfd 4099ff 38a5fb "
        "2fb2f4 27bee9 1fc9dd 1ad4d0 18ddc2 1ae4b6 22ebaa 2ff19b 3ff68a 52fa7a 65fd69 79fe59 "
        "8bff4b 9cfe40 a9fb39 b7f735 c3f134 d0ea34 dbe236 e5d938 eecf3a f5c53a faba39 fdae35 "
        "fea130 fe932a fc8423 f9751d f46617 ef5811 e84b0c e14109 d83706 ce2d04 c32503 b71d02 "
        "a91601 9b0f01 8b0902 7a0403",
    ),
    "Cividis": (
        "RGB",
        "0:00224e 0.0745:00306f 0.0824:003170 0.0902:013271 0.1098:123570 0.1333:1e3a6f "
        "0.2039:36466c 0.3294:565c6d 0.4941:7b7a78 0.5765:8f8a78 0.702:aea371 0.8039:c9b965 "
        "0.8588:d9c55c 0.9098:e7d150 0.9529:f3db42 0.9843:fde334 1:fee838",
    ),
}
"""matplotlib, lib/matplotlib/_cm_listed.py."""

PARAVIEW: dict[str, tuple[str, str]] = {
    "Cool to Warm": ("Diverging", "0:3b4cc0 0.5:dddddd 1:b40426"),
    "Cool to Warm Extended": (
        "Lab",
        "0:000059 0.03125:0a1061 0.0625:101e69 0.09375:172f73 0.125:204380 0.15625:29568a "
        "0.1875:336591 0.21875:3d7499 0.25:4985a6 0.28125:5697b3 0.3125:63a7bf 0.34375:77bcd1 "
        "0.375:92d1e0 0.40625:a7dde8 0.4375:c0eaf0 0.46875:d2f4f7 0.48:fcf5e6 0.5:f0fbfc "
        "0.52:fcf1d9 0.54:fae5c8 0.5625:f7d5b2 0.59375:f2bb96 0.625:eda682 0.65625:e8906f "
        "0.6875:e0755a 0.71875:d66349 0.75:c24b36 0.78125:b3362b 0.8125:a62821 0.84375:991818 "
        "0.875:8c1119 0.90625:800d20 0.9375:730e2c 0.96875:660e31 1:591236",
    ),
    "Black-Body Radiation": ("RGB", "0:000000 0.4:e60000 0.8:e6e600 1:ffffff"),
    "X Ray": ("RGB", "0:ffffff 1:000000"),
    "Green": (
        "Lab",
        "0:0e1c1f 0.05:132c2e 0.1:163b38 0.15:184740 0.2:1c5947 0.25:1d6647 0.3:1e7345 "
        "0.35:1e7d3e 0.4:1d8534 0.45:1c8c27 0.5:159615 0.55:1ca10d 0.6:36ad15 0.65:51b81d "
        "0.7:6ec229 0.75:8ecc3d 0.8:aad64b 0.85:c8e065 0.9:e2eb88 0.95:f5f2ab 1:fffbe6",
    ),
    "Black - Blue - White": ("RGB", "0:000000 0.333:000080 0.666:0080ff 1:ffffff"),
    "Blue to Orange": (
        "Lab",
        "0:16014c 0.030334:1d0673 0.055527:1b0d82 0.073008:0a0a8f 0.089974:081999 "
        "0.106427:0b2aa3 0.130077:0e3ead 0.16144:0e51b5 0.2:0d65bd 0.225:0a77c4 0.25:0889c9 "
        "0.276093:089dcf 0.302828:06b5d4 0.329563:0dccd9 0.351671:12dade 0.372237:43e6dc "
        "0.390231:6cf0df 0.417995:92f6d5 0.436504:a8fad7 0.449871:c3fadd 0.464267:d3fae2 "
        "0.492545:e9fcef 0.501285:fffff8 0.510026:fcfade 0.522879:fdf8cd 0.532648:fdf6b6 "
        "0.5491:fcf4a4 0.575321:faea82 0.597429:f7df68 0.620051:f2d252 0.636504:edc647 "
        "0.660668:e8b73c 0.682262:e3a832 0.7:e09e2b 0.725:de8c28 0.75:d97925 0.775:d46922 "
        "0.8:cf581d 0.825:c94418 0.85:bd2f13 0.875:b02010 0.9:9e100b 0.923393:8c0712 "
        "0.943959:780417 0.967095:66011a 1:300012",
    ),
    "Gray to Red": (
        "Lab",
        "0:1a1a1a 0.062745:3a3a3a 0.12549:5c5c5c 0.188236:808080 0.250981:a1a1a1 "
        "0.313726:bfbfbf 0.376471:d7d7d7 0.439216:ececec 0.501961:fffefe 0.564706:fee8db "
        "0.627451:fbccb4 0.690196:f5aa89 0.752941:e48066 0.815687:d05548 0.878432:ba2832 "
        "0.941177:930e26 1:67001f",
    ),
    "Cold and Hot": ("RGB", "0:00ffff 0.45:0000ff 0.5:000080 0.55:ff0000 1:ffff00"),
    "Blue - Green - Orange": (
        "Lab",
        "0:d4e8fa 0.0125:bfdcf5 0.025:b1d3f0 0.05:91c2eb 0.075:73b4e6 0.1:58a4db 0.125:3f92d1 "
        "0.15:2e85c7 0.16:267dbf 0.18:2172b5 0.2:1a6db0 0.21:1867a8 0.22:1764a3 0.23:155e9e "
        "0.24:125a99 0.25:115491 0.26:13508a 0.27:164e82 0.28:18497a 0.29:1a4773 0.3:1c4469 "
        "0.31:1d4261 0.32:1d4059 0.33:1c4452 0.34:1b4d43 0.35:184f3e 0.36:15523a 0.37:135738 "
        "0.38:125c36 0.39:116137 0.4:10662d 0.425:136b25 0.45:16701e 0.475:1f781e 0.5:2f8026 "
        "0.525:418a30 0.55:53943b 0.575:679e47 0.6:80ab55 0.63:97ba66 0.65:bdc97d 0.67:dbdb9a "
        "0.7:ebd594 0.75:e6ba7e 0.8:db9563 0.85:cc7052 0.9:ad4c34 0.95:8c2b1c 0.975:7a150c "
        "1:730200",
    ),
    "Yellow - Gray - Blue": (
        "Lab",
        "0:4d0c17 0.01639:650a0f 0.03278:7e0e09 0.049171:961d06 0.065561:a92b04 "
        "0.081951:bd3a01 0.098341:c94a00 0.114732:dc6103 0.131122:e67507 0.147512:ea850c "
        "0.163902:ec9414 0.180293:efa41f 0.196683:f1b52f 0.213073:f3c43f 0.229463:f6d353 "
        "0.245854:f7e06c 0.262244:f8ea83 0.278634:faf298 0.295024:faf8ab 0.311415:fcfcc1 "
        "0.327149:fbfcda 0.327805:fcfcdb 0.327815:f3f3e4 0.344836:e3e3ce 0.361856:d3d2bc "
        "0.378877:c6c3ad 0.395898:b9b6a0 0.412919:ada994 0.42994:a19b88 0.44696:948e7c "
        "0.463981:898171 0.481002:7f7568 0.498023:766b5f 0.515043:6e6358 0.532064:675b51 "
        "0.549085:5f524b 0.566106:584b44 0.583127:51433d 0.600147:493b36 0.617168:41332f "
        "0.634189:3b2c2a 0.65121:332523 0.66824:263247 0.701416:334158 0.734592:3f516a "
        "0.767768:4e637e 0.800944:5f7591 0.83412:7188a4 0.867296:849db9 0.900472:99b2cc "
        "0.933648:afc8de 0.966824:c2dbed 0.983412:cee6f5 1:e3f4fb",
    ),
    "Rainbow Uniform": (
        "RGB",
        "0:0561ff 0.02381:056cf7 0.047619:0577f0 0.071429:0582e8 0.095238:058bdf "
        "0.119048:0595d5 0.142857:059ecb 0.166667:05a6bf 0.190476:05afb3 0.214286:05b8a8 "
        "0.238095:05c19a 0.261905:05ca8c 0.285714:05d47f 0.309524:05dc6d 0.333333:06e55c "
        "0.357143:04ed4b 0.380952:46f327 0.404762:7ef51c 0.428571:a4f90c 0.452381:c2fb09 "
        "0.47619:e1fd06 0.5:ffff03 0.52381:fff414 0.547619:ffe826 0.571429:ffdd37 "
        "0.595238:ffd137 0.619048:ffc437 0.642857:ffb837 0.666667:ffac37 0.690476:ff9f37 "
        "0.714286:ff9337 0.738095:ff8537 0.761905:ff7737 0.785714:ff6837 0.809524:fe5536 "
        "0.833333:fc4230 0.857143:fd2636 0.880952:f21e40 0.904762:e6144a 0.928571:da0a54 "
        "0.952381:cc0b5b 0.97619:bd0c62 1:ae0d6a",
    ),
    "Jet": (
        "RGB",
        "0:00008f 0.111111:0000ff 0.36508:00ffff 0.492063:80ff80 0.619047:ffff00 "
        "0.873016:ff0000 1:800000",
    ),
    "Rainbow Desaturated": (
        "RGB",
        "0:4747db 0.143:00005c 0.285:00ffff 0.429:008000 0.571:ffff00 0.714:ff6100 "
        "0.857:6b0000 1:e04d4d",
    ),
}
"""Presets of ParaView in VTK-m, which Ascent uses: vtkm/cont/ColorTablePresets.cxx. "Cool to Warm"
is that of K. Moreland, Diverging Color Maps for Scientific Visualization, ISVC 2009."""

DEVIL_RAY: dict[str, tuple[str, str]] = {
    "Gray": ("RGB", "000000 ffffff"),
    "blue": ("RGB", "0:000000 0.33:000080 0.66:0080ff 1:ffffff"),
    "orange": ("RGB", "0:000000 0.33:800000 0.66:ff8000 1:ffffff"),
    "ColdAndHot": ("RGB", "0:ffff00 0.45:ff0000 0.5:000080 0.55:0000ff 1:00ffff"),
    "Rainbow": (
        "RGB",
        "0:0000ff 0.2:00ffff 0.45:00ff00 0.55:b3ff00 0.6:ffff00 0.75:ff8000 0.9:ff0000 "
        "0.98:ff0080 1:ff00ff",
    ),
}
"""Ascent's Devil Ray, src/libs/dray/color_table.cpp. Its ColdAndHot begins with the hot colours."""
