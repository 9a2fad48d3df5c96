// SPDX-License-Identifier: GPL-3.0-or-later
// An eyrie on an office tower at dusk: the harpy eagle comes home, and the windows of the idle desktops light up.
// `clock` runs from 0 to 1 and every motion has a whole number of periods in it, so the last frame meets the first.
// No include files, no radiosity, no area lights: a frame must take seconds in an emulated guest of 256 MiB.
#version 3.7;
global_settings { assumed_gamma 1.0 max_trace_level 4 }

#declare Turn = 2 * pi * clock;
#declare Dice = seed(2005);

camera {
  location <-3.6 + 0.35 * sin(Turn), 6.9 + 0.12 * cos(Turn), -16>
  right x * image_width / image_height
  look_at <0.35, 7.85, 0>
  angle 45
}

// ---- sky -----------------------------------------------------------------------------------------------------------
sky_sphere {
  pigment {
    gradient y // from straight down to straight up; the horizon is at 0.5
    scale 2
    translate -y
    colour_map {
      [0.46 rgb <0.30, 0.08, 0.12>]
      [0.50 rgb <1.00, 0.36, 0.10>]
      [0.54 rgb <0.90, 0.24, 0.13>]
      [0.58 rgb <0.56, 0.14, 0.22>]
      [0.64 rgb <0.20, 0.08, 0.25>]
      [0.74 rgb <0.035, 0.035, 0.14>]
      [1.00 rgb <0.008, 0.012, 0.05>]
    }
  }
  pigment {
    bozo
    turbulence 0.5
    octaves 4
    scale <0.9, 0.055, 0.9>
    colour_map {
      [0.00 rgbt <1, 1, 1, 1>]
      [0.58 rgbt <1.0, 0.5, 0.3, 1.0>]
      [0.80 rgbt <1.0, 0.42, 0.22, 0.45>]
      [1.00 rgbt <1.0, 0.62, 0.35, 0.25>]
    }
  }
}

#declare SunAt = <26, 16.5, 120>;
#macro Glow(Radius)
  disc {
    0, z, 1
    pigment {
      spherical
      colour_map { [0 rgbt <1, 0.45, 0.15, 1>] [0.4 rgbt <1, 0.42, 0.14, 0.9>] [1 rgbt <1, 0.45, 0.16, 0.25>] }
    }
    finish { ambient 0 diffuse 0 emission 1 }
    scale Radius
    translate SunAt
    no_shadow
  }
#end
Glow(50)
disc {
  0, z, 11
  pigment { gradient y scale 22 translate -11 * y colour_map { [0 rgb <1.0, 0.36, 0.10>] [1 rgb <1.0, 0.80, 0.42>] } }
  finish { ambient 0 diffuse 0 emission 1.25 }
  translate SunAt - z
  no_shadow
}

light_source { <60, 46, 110> colour rgb <2.6, 1.25, 0.55> }       // the sun, behind everything: rims
light_source { <-40, 40, -60> colour rgb <0.34, 0.40, 0.72> shadowless }  // the evening sky

// ---- the town ------------------------------------------------------------------------------------------------------
#declare Stone = texture {
  pigment { colour rgb <0.045, 0.042, 0.075> }
  finish { ambient 0 diffuse 0.8 emission 0.35 }
}
#macro Lamp(Colour) texture { pigment { rgb Colour } finish { ambient 0 diffuse 0 emission 1 } } #end

#macro Row(Z, Count, Base, Haze)
  #local I = 0;
  #while (I < Count)
    #local X = (I - Count / 2 + 0.6 * rand(Dice)) * 2.3 * (1 + Z / 40);
    #local H = Base * (0.45 + 0.75 * rand(Dice));
    #local W = 0.75 + 0.5 * rand(Dice);
    box {
      <X - W, -30, Z>, <X + W, H, Z + 2>
      texture { pigment { colour Haze } finish { ambient 0 diffuse 0.15 emission 0.8 } }
    }
    #local J = 0;
    #while (J < 9)
      #local Lit = rand(Dice);
      #local WX = X - W * 0.75 + 1.5 * W * rand(Dice);
      #local WY = H - 0.4 - int(7 * rand(Dice)) * 0.55;
      #if (Lit > 0.35)
        box { <WX - 0.10, WY - 0.13, Z - 0.02>, <WX + 0.10, WY + 0.13, Z> Lamp(<0.95, 0.55, 0.22> * Lit) no_shadow }
      #end
      #local J = J + 1;
    #end
    #local I = I + 1;
  #end
#end
Row(42, 34, 5.5, rgb <0.30, 0.085, 0.110>)
Row(24, 26, 4.6, rgb <0.120, 0.040, 0.090>)
Row(12, 18, 3.4, rgb <0.040, 0.020, 0.060>)

// ---- the office tower ----------------------------------------------------------------------------------------------
#declare Columns = 7;
#declare Floors = 8;
#declare Roof = 6.0;
#declare Half = 2.6;

union {
  box { <-Half, -30, -Half>, <Half, Roof, Half> }
  box { <-Half - 0.18, Roof - 0.16, -Half - 0.18>, <Half + 0.18, Roof + 0.10, Half + 0.18> }
  box { <-Half - 0.08, Roof - 0.45, -Half - 0.08>, <Half + 0.08, Roof - 0.36, Half + 0.08> }
  texture { Stone }
}

// A window is a desktop: cool while its owner is at it, dark when nobody is, amber while a guest computes there.
#macro Window(Phase, Speed, Owner)
  #if (Owner > 0.86)
    Lamp(<0.34, 0.52, 0.66>)
  #else
    #local Wave = 0.5 + 0.5 * sin(Turn * Speed + 2 * pi * Phase);
    Lamp(<0.05, 0.04, 0.09> + <1.15, 0.58, 0.13> * pow(Wave, 1.6))
  #end
#end
#macro Facade(Angle)
  union {
    #local Step = 2 * Half / Columns;
    #local F = 0;
    #while (F < Floors)
      #local C = 0;
      #while (C < Columns)
        #local X = -Half + (C + 0.5) * Step;
        #local Y = Roof - 0.95 - F * 0.80;
        box {
          <X - 0.25, Y - 0.27, -Half - 0.03>, <X + 0.25, Y + 0.27, -Half>
          Window(C / Columns * 0.6 + F * 0.13 + 0.35 * rand(Dice), 1, rand(Dice))
          no_shadow
        }
        #local C = C + 1;
      #end
      #local F = F + 1;
    #end
    rotate Angle * y
  }
#end
Facade(0)
Facade(90)

// The mast and its lamp.
#declare Mast = <-2.1, Roof, 2.0>;
cylinder { Mast, Mast + 3.1 * y, 0.06 texture { Stone } }
cylinder { Mast + <-0.45, 2.1, 0>, Mast + <0.45, 2.1, 0>, 0.03 texture { Stone } }
sphere { Mast + 3.15 * y, 0.13 Lamp(<1, 0.08, 0.05> * (0.25 + 1.2 * pow(0.5 + 0.5 * cos(Turn), 2))) no_shadow }

// ---- the nest ------------------------------------------------------------------------------------------------------
#declare NestAt = <-0.55, Roof + 0.12, -0.9>;
union {
  #declare I = 0;
  #while (I < 230)
    #local A = 2 * pi * rand(Dice);
    #local Rise = rand(Dice);
    #local R = 0.95 + 0.52 * Rise + 0.16 * (rand(Dice) - 0.5);
    #local L = 0.35 + 0.45 * rand(Dice);
    #local Tangent = <-sin(A), 0.55 * (rand(Dice) - 0.42), cos(A)> + 0.45 * <rand(Dice) - 0.5, 0, rand(Dice) - 0.5>;
    #local P = <R * cos(A), 0.06 + 0.72 * Rise, R * sin(A)>;
    cylinder {
      P - L * Tangent, P + L * Tangent, 0.030 + 0.022 * rand(Dice)
      texture {
        pigment { colour rgb <0.30, 0.17, 0.085> * (0.45 + 0.9 * rand(Dice)) }
        finish { ambient 0 diffuse 0.85 emission 0.16 }
      }
    }
    #declare I = I + 1;
  #end
  translate NestAt
}
#macro Egg(X, Z)
  sphere {
    0, 0.36
    scale <0.82, 1.12, 0.82>
    rotate <0, 0, 14 * X>
    translate NestAt + <X, 0.66, Z>
    texture {
      pigment { bozo scale 0.09 colour_map { [0.55 rgb <0.93, 0.86, 0.72>] [0.75 rgb <0.62, 0.44, 0.28>] } }
      finish { ambient 0 diffuse 0.6 emission 0.42 specular 0.3 roughness 0.05 }
    }
  }
#end
Egg(-0.40, -0.25)
Egg(0.42, -0.18)
Egg(0.02, 0.42)

// ---- the eagle -----------------------------------------------------------------------------------------------------
#declare Slate = texture {
  pigment { colour rgb <0.060, 0.062, 0.082> }
  finish { ambient 0 diffuse 0.9 emission 0.28 specular 0.25 roughness 0.08 }
}
#declare Pale = texture {
  pigment { colour rgb <0.80, 0.78, 0.78> }
  finish { ambient 0 diffuse 0.75 emission 0.18 }
}
#declare Barred = texture {
  pigment {
    gradient z
    scale 0.36
    colour_map {
      [0.00 rgb <0.55, 0.53, 0.53>] [0.45 rgb <0.50, 0.48, 0.48>] [0.50 rgb <0.055, 0.055, 0.075>] [1.00 rgb <0.06, 0.06, 0.08>]
    }
  }
  finish { ambient 0 diffuse 0.85 emission 0.22 }
}
#declare Horn = texture {
  pigment { colour rgb <0.95, 0.62, 0.12> }
  finish { ambient 0 diffuse 0.7 emission 0.35 }
}

// A feather starts at the origin and points along +z (backwards when the bird looks along -z).
#macro Feather(Length, Width, Angle, Start)
  sphere {
    0, 1
    scale <Width / 2, 0.022, Length / 2>
    translate z * Length / 2
    texture { Barred }
    rotate y * Angle
    translate Start
  }
#end
#macro Hand(Lift)
  union {
    #local I = 0;
    #while (I < 8)
      Feather(0.85 + 0.95 * sin(0.55 + I * 0.27), 0.27, 10 + I * 11.5, <0.09 + I * 0.075, 0.012 * I, -0.05>)
      #local I = I + 1;
    #end
    sphere { 0, 1 scale <0.42, 0.07, 0.17> translate <0.34, 0.01, 0.02> texture { Slate } }
    rotate z * Lift
  }
#end
#macro Wing(Lift, Bend)
  union {
    #local I = 0;
    #while (I < 9)
      Feather(0.98 - 0.02 * I, 0.30, I * 1.2, <0.10 + I * 0.155, 0, 0>)
      #local I = I + 1;
    #end
    sphere { 0, 1 scale <0.80, 0.11, 0.25> translate <0.72, 0.02, 0.02> texture { Slate } }
    sphere { 0, 1 scale <0.78, 0.05, 0.40> translate <0.74, 0.02, 0.26> texture { Slate } }
    object { Hand(Bend) translate <1.42, 0, 0> }
    rotate z * Lift
  }
#end

#declare Beat = 14 + 34 * cos(Turn);            // degrees at the shoulder
#declare Fold = -8 + 26 * cos(Turn - 1.15);     // the hand follows the arm
#declare Eagle = union {
  object { Wing(Beat, Fold) translate <0.20, 0.12, -0.25> }
  object { Wing(Beat, Fold) translate <0.20, 0.12, -0.25> scale <-1, 1, 1> }
  sphere { 0, 1 scale <0.36, 0.34, 0.85> texture { Slate } }
  sphere { 0, 1 scale <0.31, 0.30, 0.72> translate <0, -0.09, 0.02> texture { Pale } }
  sphere { 0, 1 scale <0.30, 0.27, 0.26> translate <0, -0.02, -0.58> texture { Slate } }
  #declare I = -3;
  #while (I <= 3)
    Feather(1.05 - 0.03 * abs(I), 0.26, I * 8, <0.03 * I, 0.02 - 0.01 * abs(I), 0.62>)
    #declare I = I + 1;
  #end
  // Legs reach forward for the nest.
  cylinder { <0.17, -0.22, -0.05>, <0.20, -0.62, -0.38>, 0.085 texture { Pale } }
  cylinder { <-0.17, -0.22, -0.05>, <-0.20, -0.62, -0.38>, 0.085 texture { Pale } }
  #declare I = -1;
  #while (I <= 1)
    cone { <0.20, -0.62, -0.38>, 0.06, <0.20 + 0.11 * I, -0.80, -0.62>, 0.02 texture { Horn } }
    cone { <-0.20, -0.62, -0.38>, 0.06, <-0.20 + 0.11 * I, -0.80, -0.62>, 0.02 texture { Horn } }
    #declare I = I + 1;
  #end
  union {
    sphere { 0, 0.25 scale <0.92, 0.95, 1.1> texture { Pale } }
    cone { <0, -0.03, -0.20>, 0.12, <0, -0.10, -0.42>, 0.035 texture { Horn } }
    cone { <0, -0.08, -0.40>, 0.05, <0, -0.22, -0.43>, 0.005 texture { Horn } }
    sphere { <0.16, 0.05, -0.17>, 0.045 texture { Slate } }
    sphere { <-0.16, 0.05, -0.17>, 0.045 texture { Slate } }
    // The harpy's double crest.
    cone { <0.10, 0.12, 0.08>, 0.11, <0.22, 0.44, 0.26>, 0.02 texture { Slate } }
    cone { <-0.10, 0.12, 0.08>, 0.11, <-0.22, 0.44, 0.26>, 0.02 texture { Slate } }
    cone { <0, 0.14, 0.10>, 0.10, <0, 0.40, 0.34>, 0.02 texture { Slate } }
    rotate x * (4 + 6 * sin(Turn))
    translate <0, 0.22, -0.86>
  }
}

object {
  Eagle
  scale 1.22
  rotate <-24 + 5 * sin(Turn), 0, -5 + 4 * sin(Turn)>
  rotate y * -26
  translate <1.1, 9.16 - 0.40 * cos(Turn - 0.5), -1.6>
}
