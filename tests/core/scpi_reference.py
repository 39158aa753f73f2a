# ruff: noqa: E501, W291
"""What scpi-parser makes of some messages; written by reference/record.py."""

COMMIT = "886615902b2777b71860445305bfe5a3faef4f3e"

# A message, two bars, and what was done, replied and refused, in order.
ANSWERS = r'''
:SOUR:VOLT:SLEW 5||slew 5
source:voltage:slew 5||slew 5
SoUr:VoLtAgE:sLeW 5||slew 5
SOURC:SLEW 5||error -113
SOU:SLEW 5||error -113
SOURCES:SLEW 5||error -113
SOUR:VOLTA:SLEW 5||error -113
:SOUR:SLE 5||error -113
:SOUR 5||level 5000000
:SOUR:VOLT 5||level 5000000
:SOUR:LEV 5||level 5000000
:SOUR:IMM 5||level 5000000
:SOUR:AMPL 5||level 5000000
:SOUR:VOLT:LEV:IMM:AMPL 5||level 5000000
:SOUR:LEV:AMPL 5||level 5000000
:SOUR:VOLT:AMPL 5||level 5000000
:SOUR:AMPL:IMM 5||error -113
:SOUR:LEV:VOLT 5||error -113
:SOUR1 5||level 5000000
:SOUR1:VOLT:SLEW 5||slew 5
:SOUR2 5||error -114
:SOURCE1? ||reply 1
:SOUR0?||error -114
:SOUR11?||error -114
:SENS?||reply 4
:SENS1?||reply 4
:SENSE?||reply 4
:SENSE1:VOLT?||reply 4
:SENS2?||error -114
:SENS:SLEW?||reply 5
:SENS 5||error -113
:SENS:FOO?||error -113
:OUTP ON||output 1
:OUTP1:STAT OFF||output 0
:OUTP:STATE?||reply 6
*IDN?||reply 99
*idn?||reply 99
:*IDN?||error -101|error -113
*IDN||error -113
*XYZ||error -113
*XYZ?||error -113
*||error -113
*CLS||
*CLS?||error -113
*WAI?||error -113
:DIAG:VALV?||reply 1
:DIAG:VALV3?||reply 3
:DIAGNOSTIC:VALVE12?||reply 12
:DIAG:VALVES?||error -113
:DIAG:VALV2?;VALV?||reply 2|reply 1
FOO||error -113
FOO?||error -113
:FOO:BAR?||error -113
SOUR:FOO 5||error -113
:SYST:NOTH||nothing
:SYST:NOTHING||nothing
:SYST:NOTH?||error -113
:SYST:NOTH 1||error -108
:SYST||error -113
:SOUR:VOLT:SLEW 5;SLEW:MODE LIN||slew 5|mode 0
:SOUR:SLEW 5;SLEW:MODE MAX||slew 5|mode 1
:SOUR:VOLT:SLEW:MODE LIN;MODE OFF;MODE?||mode 0|mode 2|reply 3
:SOUR:VOLT 5;SLEW 6;VOLT:SLEW 7||level 5000000|slew 6|slew 7
:SOUR:VOLT 5;VOLT:SLEW 7;SLEW 8||level 5000000|slew 7|slew 8
:SOUR:VOLT:SLEW 5;SOUR:SLEW 6||slew 5|error -113
:SOUR:SLEW 5;VOLT 6||slew 5|level 6000000
:SOUR:VOLT:SLEW:MODE LIN;SLEW 6||mode 0|error -113
:SOUR:VOLT:SLEW 5;:OUTP ON||slew 5|output 1
SOUR:SLEW 5 ; :SOUR:SLEW 6||slew 5|slew 6
:SOUR:VOLT:LEV 5;LEV:IMM 6||level 5000000|level 6000000
:SOUR:VOLT:SLEW 5;*IDN?;SLEW?;*OPC?;SLEW:MODE?||slew 5|reply 99|error -113|reply 1|error -113
*IDN?;SENS?;SOUR?||reply 99|reply 4|reply 1
SENS?;SOUR?;OUTP?||reply 4|reply 1|reply 6
:SENS?;:SOUR 5;:SENS:SLEW?;SLEW?||reply 4|level 5000000|reply 5|reply 5
:SENS:SLEW?;:SOUR:SLEW?;SLEW:MODE?||reply 5|reply 2|reply 3
*ESE 5;*ESE?||reply 5
:SOUR:SLEW 5;*ESE 7;*ESE?;SLEW?||slew 5|reply 7|error -113
*SRE 16;*SRE?||reply 16
*SRE?;*ESE?||reply 0|reply 0
*OPC?;*WAI||reply 1
:SYST:NAME 'a';NOTH;PAIR 1,2||name a|nothing|pair 1 2
:SYST:NOTH;NOTH;NOTH||nothing|nothing|nothing
:SYST:NOTH;:SYST:NOTH||nothing|nothing
:OUTP ON;OUTP OFF;OUTP?||output 1|output 0|reply 6
:OUTP:STAT ON;STAT?||output 1|reply 6
:SOUR 1||level 1000000
:SOUR +1||level 1000000
:SOUR -1||level -1000000
:SOUR 1.||level 1000000
:SOUR .5||level 500000
:SOUR -.5||level -500000
:SOUR +.5E+1||level 5000000
:SOUR 1.5e-3||level 1500
:SOUR 12E2||level 1200000000
:SOUR 0012||level 12000000
:SOUR 1E3||level 1000000000
:SOUR 1.25||level 1250000
:SOUR 0||level 0
:SOUR -0.0||level -0
:SOUR 0.1||level 100000
:SOUR 0.3||level 300000
:SOUR 123456.789||level 123456789000
:SOUR 1 E2||level 1000000
:SOUR 1 E +2||level 1000000
:SOUR 1E 2||level 1000000
:SOUR 0.000001||level 1
:SOUR 5 V||level 5000000
:SOUR 5V||level 5000000
:SOUR 5 MV||level 5000
:SOUR 5MV||level 5000
:SOUR 5 kv||level 5000000000
:SOUR 5 UV||level 5
:SOUR 1.5E2 MV||level 150000
:SOUR 1.5E2MV||level 150000
:SOUR 5 OHM||error -131
:SOUR 5 XX||error -131
:SOUR 5 VV||error -131
:SOUR 5 V 5||error -101
:SOUR MIN||level MIN
:SOUR MAX||level MAX
:SOUR DEF||level DEF
:SOUR minimum||level MIN
:SOUR Maximum||level MAX
:SOUR default||level DEF
:SOUR MA||error -224
:SOUR MINI||error -224
:SOUR||error -109
:SOUR ||error -109
:SOUR 1,2||error -108
:SOUR ,||error -101
:SOUR 1,||error -109
:SOUR ,1||error -101|error -101
:SOUR abc||error -224
:SOUR 'five'||error -200
:SOUR "5"||error -200
:SOUR ON||error -224
:SOUR +||error -101
:SOUR -||error -101
:SOUR 1.2.3||error -101|error -101
:SOUR 1-2||error -101|error -101
:SOUR --1||error -101|error -101|error -101
:SOUR 1..||error -101
:SOUR 1E--5||error -101|error -101
:SOUR:SLEW 5||slew 5
:SOUR:SLEW 5.4||slew 5
:SOUR:SLEW 5.6||slew 6
:SOUR:SLEW 5 V||error -138
:SOUR:SLEW 1E5||slew 100000
:SOUR:SLEW -7||slew -7
:SOUR:SLEW #HFF||slew 255
:SOUR:SLEW:MODE LIN||mode 0
:SOUR:SLEW:MODE linear||mode 0
:SOUR:SLEW:MODE max||mode 1
:SOUR:SLEW:MODE LINE||error -224
:SOUR:SLEW:MODE FAST||error -224
:SOUR:SLEW:MODE 1||error -104
:SOUR:SLEW:MODE||error -109
:SOUR:SLEW:MODE 'LIN'||error -104
:SOUR:SLEW:MODE LIN,OFF||error -108
:OUTP ON||output 1
:OUTP on||output 1
:OUTP Off||output 0
:OUTP 1||output 1
:OUTP 0||output 0
:OUTP MAYBE||error -224
:OUTP||error -109
:OUTP 1,0||error -108
:OUTP 'ON'||error -104
:OUTP ON;STAT||output 1|error -113
:SENS? 1||error -108
*IDN? 1||error -108
*ESE 255||
*ESE 0||
*ESE #H1F||
*ESE #hff||
*ESE #Q17||
*ESE #B101||
*ESE #b1||
*ESE||error -109
*ESE 1,2||error -108
*ESE ABC||error -104
*ESE 'a'||error -104
*ESE 5 V||error -138
*ESE #HG||error -101|error -113
:SYST:NAME 'abc'||name abc
:SYST:NAME "abc"||name abc
:SYST:NAME ''||name 
:SYST:NAME 'it''s'||name it's
:SYST:NAME "it's"||name it's
:SYST:NAME "say ""hi"""||name say "hi"
:SYST:NAME 'a;b';NOTH||name a;b|nothing
:SYST:NAME "a,b"||name a,b
:SYST:NAME 'a,b;c:d';NOTH||name a,b;c:d|nothing
:SYST:NAME abc||error -104
:SYST:NAME 5||error -104
:SYST:NAME||error -109
:SYST:NAME 'a','b'||error -108
:SYST:NAME 'abc||error -101|error -113
:SYST:NAME "abc'||error -101|error -101
:SYST:PAIR 1,2||pair 1 2
:SYST:PAIR 1 , 2||error -151
:SYST:PAIR 1,2,3||error -108
:SYST:PAIR 1||error -109
:SYST:PAIR||error -109
:SYST:PAIR 1;NOTH||error -109|nothing
:SYST:PAIR -1.6,2E1||pair -2 20
:SYST:PAIR ,||error -101
:SYST:PAIR 1,,2||error -101|error -101
:SYST:PAIR 'a',1||error -200
:SYST:PAIR 1,'a'||error -200
:SENS?;;:SENS?||reply 4|reply 4
;||
;;;||
  ||
  *IDN? ||reply 99
*IDN?;||reply 99
;*IDN?||reply 99
:SENS? ;:OUTP? ; ||reply 4|reply 6
:SOUR   5||level 5000000
:SOUR<TAB>5||level 5000000
<TAB>:SENS?<TAB>||reply 4
:SOUR <TAB> 5 <TAB>||level 5000000
:SENS? ?||error -101
:SENS ?||error -101
: SENS?||error -101
:SENS: SLEW?||error -101
SENS::SLEW?||error -101|error -113
::SENS?||error -101|reply 4
:SENS:||error -113
:||error -113
?||error -101
5||error -101
'a'||error -101|error -101
#||error -101
&||error -101
:SENS?5||error -101
:SOUR5||error -114
*IDN??||error -101
*IDN? ?||error -101
SETUP&||error -101
SLEW:MODE?;AMPLITUDE?;:SOURCE1:VOLTAGE 1.5E1||error -113|error -113|level 15000000
SLEW;SYSTEM:PAIR 1,2;*IDN?||error -113|pair 1 2|reply 99
voltage:SLEW:MODE? ; :SYST:FOO? ; :sense1:voltage:SLEW? ; system:NAME?||error -113|error -113|reply 5|error -113
*ESE #H10;*ese?;DIAG:VALV2;:SYSTEM:NOTH?||reply 16|error -113|error -113
sense:VOLT ; *ese ; :SYST:FOO?||error -113|error -109|error -113
:source:SLEW 5 V||error -138
:SENSE;:SENS1:VOLT:SLEW?;system:pair 4,5,6||error -113|reply 5|error -113
SYST:pair? ; *IDN?||error -113|reply 99
*ESE #H10;SOUR:SLEW?;:SYSTEM:NOTH?;:SENS1:slew?||reply 2|error -113|reply 5
*ESE 4;NOTHING||error -113
slew?||error -113
slew?;sense||error -113|error -113
AMPL ; :SYST:NOTHING 1 ; :SYSTEM:nothing||error -113|error -108|nothing
*IDN?;:source:voltage:slew?;:SYSTEM:FOO?||reply 99|reply 2|error -113
:SENS1:SLEW||error -113
:SENS1:VOLT:SLEW;:sense1:SLEW||error -113|error -113
output Off;*ESE?||output 0|reply 0
SYST:pair?||error -113
*ESE 4;:SYST:PAIR?;:source1:voltage:SLEW:MODE?;*IDN?||error -113|reply 3|reply 99
:SYST:PAIR? ; :SYSTEM:name? ; :SYSTEM:PAIR 4,5,6||error -113|error -113|error -108
NAME?;VOLTAGE:SLEW:MODE FAST;VALV2||error -113|error -113|error -113
SOUR1:VOLTAGE:LEV MAX ; :OUTP? ; *IDN ; *IDN?||level MAX|reply 6|error -113|reply 99
:sense;*ESE 4;slew;FOO?||error -113|error -113|error -113
:SYST:foo;level 1,2||error -113|error -113
*IDN;OUTP:state?;*IDN;:SOUR:SLEW 7||error -113|reply 6|error -113|slew 7
:SOUR1:SLEW:MODE? ; *IDN? ; :SYSTEM:PAIR? ; :diagnostic:VALV2?||reply 3|reply 99|error -113|reply 2
:SYST:NAME?||error -113
sense1:VOLTAGE:SLEW;SYST:FOO 5;AMPL?;NOTH?||error -113|error -113|error -113|error -113
:system:PAIR;:SENSE1:SLEW?||error -109|reply 5
:SOUR:voltage:slew? ; pair? ; :SOURCE1 5 ; NOTHING?||reply 2|error -113|level 5000000|error -113
source1?;:system:PAIR 4,5,6;source1:level:IMM:amplitude?||reply 1|error -108|error -113
:sense1:slew;:output:STAT ON;:output:STAT Off||error -113|output 1|output 0
NOTH 1;FOO 5;:SOUR1:IMMEDIATE:AMPLITUDE?;:DIAG:VALV2?||error -113|error -113|reply 1|reply 2
:source:VOLT:slew 5;MODE FAST;:system:NAME||slew 5|error -113|error -109
NOTHING;:SYST:NOTH?||error -113|error -113
source1 MAX;output Off;pair 3;:SENS:VOLT?||level MAX|output 0|error -113|reply 4
:SOUR1:VOLT:slew:MODE off||mode 2
:SYST:NAME 'it''s';:diagnostic:VALV2?||name it's|reply 2
*ESE;:DIAG:VALVE2;:SYSTEM:NOTH?;sense:voltage?||error -109|error -113|error -113|reply 4
:SENSE1:SLEW?;*IDN||reply 5|error -113
SYST:FOO? ; :OUTPUT? ; *IDN? ; :system:pair||error -113|reply 6|reply 99|error -109
:SYSTEM:PAIR 1, 2 ; system:FOO ; :SYST:PAIR 1, 2||pair 1 2|error -113|pair 1 2
NOTH||error -113
OUTPUT:STATE?||reply 6
:SOUR:VOLT:SLEW;*IDN||error -109|error -113
STAT 2;VOLTAGE:SLEW?;DIAGNOSTIC:valve2||error -113|error -113|error -113
*IDN?;:sense:VOLTAGE?||reply 99|reply 4
sense1:SLEW ; SLEW:MODE ; voltage:LEV:AMPL 1.5E1||error -113|error -113|error -113
:SYSTEM:nothing ; output?||nothing|error -113
*ESE?||reply 0
:SOUR1:SLEW:MODE FAST;:SOUR:SLEW?;NAME "x,y"||error -224|reply 2|error -113
SYST:NOTH?;:source:VOLT:SLEW 5 V;SLEW:MODE off;SOUR:SLEW 7||error -113|error -138|mode 2|error -113
:SOURCE1:VOLT:amplitude MAX||level MAX
:SYST:FOO?||error -113
SYST:NOTHINGX?;:system:NOTH?||error -113|error -113
system:NAME? ; SYST:NOTH?||error -113|error -113
:SOURCE1X:voltage:SLEW:MODE? ; VOLT:SLEW? ; sense? ; :sense?||error -113|error -113|reply 4|reply 4
:system:FOO;:SENS1:slew;*IDN||error -113|error -113|error -113
OUTPUT 0;:SYST:foo;*IDN;*idn||output 0|error -113|error -113|error -113
*IDN?;PAIR;OUTP?||reply 99|error -113|reply 6
SOUR1:SLEW:MODE;:DIAG:VALVE2;FOO 5;SYST:pair?||error -109|error -113|error -113|error -113
:SYSTX:PAIR?||error -113
:SYST:name 'it''s';OUTP 2;:source1:VOLT:slew:modeX LIN;source1:AMPLITUDE?||name it's|error -113|error -113|error -113
:SENS:VOLT ; :SOUR:VOLT:SLEW ; PAIR 3||error -113|error -109|error -113
:SYST:foo 5;:SYST:NAME?;:SYST:PAIR?;*IDN||error -113|error -113|error -113|error -113
STATE 2||error -113
:SOUR1:SLEW:mode FAST;*ESE?||error -224|reply 0
system:NOTH||nothing
*ESE 4||
amplitude ON;SLEW;DIAG:VALV2?||error -113|error -113|reply 2
:OUTP:STAT?;:SOURCE1:VOLT:SLEW:MODE MAXIMUM;slew 5 V;NAME "x,y"||reply 6|mode 1|error -113|error -113
DIAGNOSTIC:VALVE2?;*ese;:SYSTEM:foo 5||reply 2|error -109|error -113
system:NOTHING?||error -113
SLEW||error -113
DIAGNOSTIC:valve2;:SYSTEM:NAME 'it''s';:SYSTEM:NOTHING;:source1:VOLTAGE:SLEW:MODE FAST||error -113|name it's|nothing|error -224
SENSE1:slew||error -113
SENS1:slew?;SYSTEM:name||reply 5|error -113
:DIAG:VALV2?||reply 2
:SOURCE:VOLT:SLEW?||reply 2
:SYSTEM:name;:SOURCE:slew 5 V;output:STAT?||error -109|error -138|error -113
MODE?;:system:NOTHING;*IDN||error -113|nothing|error -113
*ese?||reply 0
*IDN;*IDN;:DIAG:VALV2?||error -113|error -113|reply 2
:OUTP:STAT? ; :SOUR1:SLEW:mode? ; :SYST:foo||reply 6|reply 3|error -113
:OUTP:STATE?;:SOUR:VOLTAGE:SLEW 7;*idn?;:DIAG:VALV2||reply 6|slew 7|reply 99|error -113
:SYSTEM:PAIR 1,2||pair 1 2
OUTPUT?||reply 6
*ESE? ; amplitude?||reply 0|error -113
SENS?;source1:IMM?;name 'a;b'||reply 4|reply 1|error -113
SENS||error -113
VOLTAGE:SLEW:mode?;MODE?||error -113|error -113
VALV2?||error -113
SYST:NAME||error -109
VALV2;:SOUR1:VOLT:slew:MODE FAST;:SENS1:VOLTAGE:slew;:SYST:NOTH 1||error -113|error -224|error -113|error -108
DIAG:VALV2? ; :SOUR1:voltage:LEV:immediate:AMPL 1,2||reply 2|error -108
:SYST:PAIR 1, 2 ; SYSTEM:pair 1, 2||pair 1 2|error -113
immediate 1,2||error -113
name 'a;b' ; PAIR ; :SOURCE1:LEV:amplitude? ; :SENSE1:slew?||error -113|error -113|reply 1|reply 5
:SOURCE1:VOLT:immediate 1,2 ; VOLTAGE ; *idn||error -108|error -113|error -113
PAIR 4,5,6||error -113
:SYST:PAIR?;:system:FOOX;OUTP Off;SLEW:MODE?||error -113|error -113|output 0|error -113
:SYSTEM:NAME "x,y";sense1:slew?||name x,y|error -113
SLEW;:SENS;*ESE||error -113|error -113|error -109
:diagnostic:valve2;*ESE #H10;:OUTP?||error -113|reply 6
:system:FOO 5 ; LEVEL:amplitude ON ; SYSTX:nothing 1||error -113|error -113|error -113
:SYST:NOTH?;:SENS||error -113|error -113
*IDN?;SENS?;diagnostic:VALV2||reply 99|reply 4|error -113
:source1:AMPL 1,2;VALV2;*IDN||error -108|error -113|error -113
:SYST:PAIR 3;*ESE?;VOLT:SLEW||error -109|reply 0|error -113
:output?;sense1X:voltage:SLEW||reply 6|error -113
:SOUR1:LEV? ; *ESE ; :sense? ; system:NAME 'a;b'||reply 1|error -109|reply 4|name a;b
:SOUR:SLEW?;SYST:NAME||reply 2|error -113
*ESE 4;*ESE #H10||
*idn? ; :SENS1:voltageX:slew ; SENS1:SLEW? ; :SYST:NAME||reply 99|error -113|reply 5|error -109
source:slew? ; FOO 5 ; VOLTAGE:slew?||reply 2|error -113|reply 2
:SENSE||error -113
:sense:VOLT ; :SOUR1:immediate:AMPL? ; output:STAT 2 ; SENS1:VOLT:SLEW?||error -113|reply 1|error -113|error -113
sense1:SLEW;:SYSTEM:NAME?;:SYST:FOO?||error -113|error -113|error -113
:SOURCE1:slew:MODE MAXIMUM ; :SYSTEM:PAIR||mode 1|error -109
:DIAG:VALVE2?;*ese?||reply 2|reply 0
:source:voltage:slew 5 V ; :SOUR1X:LEVEL 1,2||error -138|error -113
:output:STATE?;:SOURCE1:voltage:slew:MODE MAXIMUM||reply 6|mode 1
VOLTAGE:SLEW:MODE FAST;DIAG:VALV2||error -113|error -113
:diagnostic:VALV2;:SOURCE:SLEW?;:SOUR1:SLEW:MODE?||error -113|reply 2|reply 3
*ESE?;SLEW?;*ESEX #H10||reply 0|error -113|error -113
:diagnostic:valve2;:source1:LEV MAX;SOUR:SLEW 5||error -113|level MAX|error -113
NOTHING 1;:SYSTEM:NOTH?||error -113|error -113
:SENS1:VOLTAGE:SLEW;:output:state 2;:SOUR1:SLEW:MODE?||error -113|output 1|reply 3
pair||error -113
:SYST:NOTHING?;:SOUR1:voltage:SLEW:MODE MAXIMUM;:SYST:FOO?||error -113|mode 1|error -113
DIAGNOSTIC:valve2?;*IDN?||reply 2|reply 99
:SYSTEM:FOO 5 ; OUTP ON ; :SYSTEM:FOO 5||error -113|output 1|error -113
SLEW 5;:SENSE1:VOLT:SLEW||error -113|error -113
SLEW:MODE MAXIMUM||error -113
NOTHING 1;:SENS1:SLEW?;SOUR1:VOLT 1.5E1;:diagnostic:VALV2||error -113|reply 5|error -113|error -113
:OUTP 0;:source:VOLT:SLEW 7;VOLTAGE||output 0|slew 7|error -113
*IDN;:OUTPUT?;SYST:nothing?;SLEW:MODE MAXIMUM||error -113|reply 6|error -113|error -113
:SYSTEM:FOO 5 ; :system:NOTH?||error -113|error -113
PAIR? ; :system:NOTH?||error -113|error -113
:DIAGNOSTIC:VALV2;*idn?;slew:MODE off||error -113|reply 99|error -113
nothing||error -113
:SYSTEM:nothing||nothing
*IDN?;nothing?;OUTPUT 2;:SOURCE1:voltage:LEV:IMMEDIATE?||reply 99|error -113|output 1|reply 1
:SYST:FOO?;SOUR:VOLT:slew 7||error -113|slew 7
:SOUR1:IMM:AMPL?;:SOUR:slew 5||reply 1|slew 5
IMM ; *ESE? ; NOTH?||error -113|reply 0|error -113
SENS;SENS1:SLEW?;:system:FOO?;:SENS||error -113|reply 5|error -113|error -113
:diagnostic:VALV2 ; PAIR 1,2 ; *IDN||error -113|error -113|error -113
:SYSTEM:name?;:SENS?;*idn?||error -113|reply 4|reply 99
state 0;:sense1:slew;OUTPUT:STAT 2;:system:PAIR||error -113|error -113|output 1|error -109
*IDN?;*IDN;SOURCE1 #;SYST:pair 4,5,6||reply 99|error -113|error -101|error -108
*IDN? ; SYST:FOO? ; NOTHING 1 ; :DIAG:VALV2||reply 99|error -113|error -113|error -113
*IDN;SYST:NOTHING?||error -113|error -113
:SYST:NAME 'a;b'||name a;b
:SYST:foo? ; :OUTP 2 ; :SOUR1:SLEW:MODE LIN||error -113|output 1|mode 0
:SYST:PAIR? ; :SYSTEM:PAIR 3 ; source:voltage:SLEW 5||error -113|error -109|error -113
*ESE?;SYST:NOTH 1;:SOURCE1:SLEW:MODE?||reply 0|error -108|reply 3
:SENSE;system:PAIR?||error -113|error -113
*ESE ; :system:PAIR ; :diagnostic:VALVE2 ; pair 4,5,6||error -109|error -109|error -113|error -108
NOTH 1;:OUTP:STAT?||error -113|reply 6
:SOUR1:VOLTAGE:LEVEL:AMPL ON||error -224
*ese #H10;:DIAG:VALVE2;:SENSE||error -113|error -113
:SENS1:SLEW ; :SYST:nothing 1 ; OUTP 0||error -113|error -108|error -113
:SOUR1:VOLTAGE:SLEW:mode FAST;:SENS?;name;:SYST:pair?||error -224|reply 4|error -113|error -113
*IDN;*IDN;SYSTEM:NAME?||error -113|error -113|error -113
SYSTEM:NAME 'it''s'||name it's
mode;SOUR1:SLEW:MODE off;:SENS:VOLT||error -113|mode 2|error -113
:SENSE:VOLT?;system:NAME 'a;b';*ESE 4;SENS1:VOLTAGE:SLEW?||reply 4|error -113|reply 5
source1:SLEW:MODE? ; :SYST:pair 1, 2 ; VALV2? ; SYSTEM:pair?||reply 3|pair 1 2|error -113|error -113
sense1:SLEW?;:source1:VOLT:slew:MODE off||reply 5|mode 2
:source:SLEW?||reply 2
SYST:nothing;SOUR1:VOLT:slew:MODE off;:SENS1:voltage:SLEW?||nothing|error -113|reply 5
sense?||reply 4
:system:PAIR 4,5,6;system:nothing?;SYSTEM:NAME "x,y"||error -108|error -113|error -113
:sense1:SLEW;:SYST:NOTH?;:SOURCE1:VOLT:LEV:amplitude MAX;:SYST:name "x,y"||error -113|error -113|level MAX|name x,y
:SOURCE1:voltage:LEV:IMM:AMPL?||reply 1
*ESE?;*idnX?||reply 0|error -113
*IDN;:SOURCE1:VOLTAGE:SLEW:MODE;SYST:FOO 5||error -113|error -109|error -113
:DIAG:VALV2;SENS;:SOUR:SLEW 5 V;:SOURCE1:amplitude||error -113|error -113|error -138|error -109
:SOUR1:IMM MAX||level MAX
diagnostic:VALV2 ; :system:pair? ; :source1:VOLTAGE:IMM ON ; VOLT?||error -113|error -113|error -224|error -113
:SYST:PAIR;SLEW?;:OUTP:STATE ON;:SYST:FOO||error -109|error -113|output 1|error -113
*ese 4;SENS;:SYSTEM:NAME 'a;b'||error -113|name a;b
*ESE 4;:SOUR1:VOLT:IMMEDIATE:AMPLITUDE?;SOURCE1 MAX||reply 1|error -113
MODE MAXIMUM||error -113
*ESE?;name 'it''s';DIAG:VALV2||reply 0|error -113|error -113
*ESEX? ; :source1:VOLT 1.5E1 ; :SYSTEM:PAIR? ; SOUR1:slew:MODE LIN||error -113|level 15000000|error -113|error -113
*ESE 4;SYST:PAIR 1, 2;:source1:VOLT:level:AMPL 1,2||pair 1 2|error -108
:OUTP:STATE? ; :SOUR:SLEW 5 ; DIAG:valve2?||reply 6|slew 5|error -113
:SYSTEM:NOTHING? ; FOO?||error -113|error -113
:SENS1:VOLTAGE:slew;:SENSE||error -113|error -113
:SYST:NOTH 1 ; *ESE? ; :SOUR1:VOLTAGE:slew:MODE MAXIMUM ; :SOUR1:SLEW:mode MAXIMUM||error -108|reply 0|mode 1|mode 1
:SENS:VOLT?;*IDN||reply 4|error -113
SYST:NOTHING?;DIAG:valve2;:SYST:name "x,y"||error -113|error -113|name x,y
sense||error -113
:SOUR1;:SOUR:SLEW?;SENS;DIAG:VALV2||error -109|reply 2|error -113|error -113
:source1:VOLT:SLEW:MODE||error -109
:SYSTEM:NOTH 1;slew;*idn;:SYST:name?||error -108|error -113|error -113|error -113
*ESE?;:SYST:PAIR?;*idn?;*ESE?||reply 0|error -113|reply 99|reply 0
:SOUR1:VOLT:SLEW:MODE?||reply 3
sense:voltage?||reply 4
VALVE2X||error -113
*IDN?;*ESE #H10;:sense1:VOLT:slew?||reply 99|reply 5
slew||error -113
:SYST:name||error -109
NOTH 1;nothing 1;*ESE;:SYSTEM:NOTHING?||error -113|error -113|error -109|error -113
SLEW?||error -113
:SYSTEM:NAME?;:SOURCE:VOLTAGE:slew 5 V;:SOURCE1:slew:MODE?;source1:SLEW:MODE FAST||error -113|error -138|reply 3|error -113
:source:slew 5;:SYSTEM:name "x,y";output?;NOTH?||slew 5|name x,y|error -113|error -113
*IDN;:SENS1:SLEW||error -113|error -113
:OUTP:STATE? ; :SYSTEM:NOTH?||reply 6|error -113
*ese?;VALVE2||reply 0|error -113
:DIAG:valve2?||reply 2
SOUR1:LEVEL:immediate?||reply 1
pair 1,2 ; source1X?||error -113|error -113
:SENS ; SYST:PAIR?||error -113|error -113
SENS1:voltage:SLEW? ; *ESE?||reply 5|reply 0
:SYST:foo;:SYST:NAME 'it''s'||error -113|name it's
VALVE2X? ; DIAG:VALV2 ; :SYST:NOTHING 1||error -113|error -113|error -108
source1?||reply 1
*IDN?;:SOUR1:VOLTX:level:amplitude 1.5E1;:SENS:voltage||reply 99|error -113|error -113
IMMEDIATE?;:SYST:PAIR 1,2||error -113|pair 1 2
:sense?;slew;AMPL?;*idn?||reply 4|error -113|error -113|reply 99
SLEW 5;NAME 'a;b';SYST:PAIR 3||error -113|error -113|error -109
VALV2;SENSE1:VOLTAGE:SLEW?;:SYST:FOO 5;NOTH||error -113|reply 5|error -113|error -113
:sense?;*ESE?;SYSTEM:NAME;nothing?||reply 4|reply 0|error -109|error -113
*ese;:system:NAME?;:sense1:VOLT:SLEW?||error -109|error -113|reply 5
:sense1:SLEW?||reply 5
:output?||reply 6
*ESE?;*IDN?||reply 0|reply 99
:DIAGNOSTIC:valve2 ; foo ; *ESE 4||error -113|error -113
:DIAG:VALV2?;*ese?;:SYST:NOTH?||reply 2|reply 0|error -113
*IDN?;:SENS||reply 99|error -113
*ese 4 ; :sense1:voltage:SLEW? ; system:FOO 5 ; :OUTP:STATE 0||reply 5|error -113|output 0
SYSTEM:foo 5 ; :output?||error -113|reply 6
:SOUR1:VOLTAGE:immediate:amplitude?;:SENS:VOLT;:SENSE1:voltage:SLEW?;:SOURCE1:LEV?||reply 1|error -113|reply 5|reply 1
:SYSTEM:PAIR?||error -113
SYSTEM:pair 1, 2||pair 1 2
NAME? ; slew? ; :system:NAME 'a;b'||error -113|error -113|name a;b
:SOURCE1:SLEW:MODE LIN||mode 0
OUTP?;:SOUR1:SLEW:MODE LIN;SYST:PAIR||reply 6|mode 0|error -113
:SENS:voltageX?;slew;*ESE?;SLEW:MODE||error -113|error -113|reply 0|error -113
:SENSE1:SLEW||error -113
:SOUR1:VOLT:SLEW:mode?;SOUR1:amplitude?||reply 3|error -113
:SYST:NOTH 1 ; DIAG:valve2||error -108|error -113
system:NAME 'a;b';FOO?;:source:VOLT:SLEW||name a;b|error -113|error -109
SYST:NOTHING?||error -113
nothing? ; SENS?||error -113|reply 4
SYSTX:foo||error -113
LEVEL?||error -113
:SENS ; system:FOO 5||error -113|error -113
sense;*ESE?;:SYSTEM:PAIR?;:source1:SLEW:MODE FAST||error -113|reply 0|error -113|error -224
STATE? ; PAIR ; :SOUR1:slew:MODE?||error -113|error -113|reply 3
*IDN ; DIAG:VALV2 ; :SENS1:VOLTAGE:SLEW? ; sense?||error -113|error -113|reply 5|error -113
output? ; :SENS:VOLT? ; :SENSE:VOLT||reply 6|reply 4|error -113
source1:IMM?||reply 1
SENS:VOLT?||reply 4
:sense1:SLEW;SOUR:SLEW?;:SYST:FOO||error -113|reply 2|error -113
:system:NOTHING?;VALV2;PAIR 1, 2||error -113|error -113|error -113
:OUTP?||reply 6
SYSTEM:FOO 5;:SENS1:SLEW?;*IDNX;NAME?||error -113|reply 5|error -113|error -113
valve2;mode LIN||error -113|error -113
*IDN;VOLT ON;*IDN?;MODE?||error -113|error -113|reply 99|error -113
:sense:VOLT ; NOTH? ; :OUTPUT:STATE?||error -113|error -113|reply 6
SOURCE1:VOLT:LEV:AMPL ON ; system:NAME ; *ese? ; :sense1:voltage:SLEW?||error -224|error -113|reply 0|reply 5
name?||error -113
SENS;:SYST:NOTH;*IDN||error -113|nothing|error -113
:SENS1:SLEW?||reply 5
:SOUR:VOLTAGE:slew? ; VALVE2?||reply 2|error -113
SYST:NAME 'a;b';:SOUR:VOLT:SLEW?;SOUR:VOLT:SLEW 5 V;:SYST:PAIR?||name a;b|reply 2|error -113|error -113
NOTH 1;source1:VOLT:AMPL?;AMPLITUDE 1,2||error -113|reply 1|error -108
SLEW?;*idn;SYST:NOTH?||error -113|error -113|error -113
system:PAIR 1, 2;*ESE?;:OUTPUT?||pair 1 2|reply 0|reply 6
:OUTPUT:STAT 0||output 0
output:STAT ON ; NAME? ; *IDN ; SYSTEM:NAMEX?||output 1|error -113|error -113|error -113
SYST:NOTH 1;:SYST:NAME?;*IDN||error -108|error -113|error -113
VALV2? ; SLEW:MODE FAST ; output ON ; *ESE?||error -113|error -113|output 1|reply 0
:sense:VOLT;:sense:VOLT||error -113|error -113
:source1:voltage MAX ; :SYST:FOO 5 ; :SOUR1:SLEW:MODE off ; :SYSTEM:FOO?||level MAX|error -113|mode 2|error -113
voltage||error -113
:source1:level:AMPLITUDE 5;SYST:name 'a;b';:source1:SLEW:mode LIN||level 5000000|error -113|mode 0
*idn;:system:pair?;*ese?||error -113|error -113|reply 0
:DIAGNOSTIC:VALV2?;:SYST:NOTH?||reply 2|error -113
sense1X:SLEW||error -113
*ESE 4;OUTP:STAT?;:SYST:foo?||reply 6|error -113
source1:VOLT:SLEW:MODE?;slew?||reply 3|error -113
:SYST:NAME "x,y" ; :SYSTEM:PAIR 3 ; :SYSTEM:foo 5 ; SLEW||name x,y|error -109|error -113|error -113
:SOUR1:VOLT:SLEW:MODE? ; :source1:IMM MAX ; :SYST:FOO 5 ; SYST:FOO?||reply 3|level MAX|error -113|error -113
:SYSTEM:NOTHING?;:SYST:foo||error -113|error -113
*eseX #H10;:source1:VOLT:SLEW:MODE?;DIAG:VALVE2?;SENS1:VOLTAGE:SLEW?||error -113|reply 3|error -113|error -113
:SENS1:SLEW?;FOO?;:OUTPUT 2||reply 5|error -113|output 1
sense1:SLEW?;:SYSTEM:pairX 3||reply 5|error -113
:source:SLEW?;SENS;VOLTAGE:level:immediate?;:SOURCE1X:voltage:SLEW:mode||reply 2|error -113|error -113|error -113
SYSTEM:PAIR||error -109
SOUR:SLEW 5 V;SOUR1 5||error -138|error -113
DIAGNOSTIC:VALV2 ; *ESE? ; :SENS1:voltage:SLEW? ; :OUTP?||error -113|reply 0|reply 5|reply 6
output:state 0||output 0
:diagnostic:VALV2?;:SOUR1:SLEW:MODE?||reply 2|reply 3
voltage:SLEW? ; SLEW:MODE? ; OUTP:state?||error -113|error -113|reply 6
:SENSE:VOLT||error -113
SOUR:VOLTAGE:SLEW 5 V ; :system:FOO ; :SYST:PAIR 3 ; :SOUR1:IMM 5||error -138|error -113|error -109|level 5000000
*ESE?;PAIR 1,2||reply 0|error -113
source1:VOLT:LEV 2 KV ; *IDN? ; OUTP||level 2000000000|reply 99|error -109
OUTPUT? ; *IDN? ; :SOUR1 # ; SLEW:MODE?||reply 6|reply 99|error -101|error -113
:output;:SENSE1:VOLTAGE:slew;:SYST:PAIR?;*idn||error -109|error -113|error -113|error -113
*ESE?;*ESE;FOO?||reply 0|error -109|error -113
:SOURCE:slew 5;:SYSTEM:PAIR;:system:PAIR?||slew 5|error -109|error -113
SENS?||reply 4
VOLT?||error -113
:SOURCE:VOLT:slew 7;*ESE?;MODE LIN;*IDN||slew 7|reply 0|error -113|error -113
SLEW:mode? ; :SENS1:voltage:slew?||error -113|reply 5
:DIAG:VALV2 ; system:PAIR? ; :sense:VOLT||error -113|error -113|error -113
:SYSTEM:NOTH? ; *ESE?||error -113|reply 0
:SOUR:VOLTAGE:SLEW ; :source:slew?||error -109|reply 2
*ese?;*ESE?||reply 0|reply 0
OUTP ON ; :DIAG:VALV2? ; SLEW||output 1|reply 2|error -113
:SENS||error -113
:SOUR:VOLTAGE:slew?;DIAG:valve2;SENS?||reply 2|error -113|error -113
:output Off;*ese #H10;:OUTP Off||output 0|output 0
voltage:SLEW;SOURCE1:SLEW:MODE?;voltage?||error -113|reply 3|error -113
:diagnostic:VALV2 ; PAIR ; *ese ; :SOURCE:slew||error -113|error -113|error -109|error -109
pair?;mode?||error -113|error -113
name ; :SYST:PAIR ; :SYST:pair 1,2||error -113|error -109|pair 1 2
amplitude ON ; valve2 ; FOO?||error -113|error -113|error -113
PAIR?;:SYSTEM:nothing?||error -113|error -113
VOLT||error -113
:SOUR1:VOLT:SLEW:mode?;:system:NAME?;output?;:SENS1:SLEW||reply 3|error -113|error -113|error -113
*IDN;diagnostic:VALVE2;:DIAG:VALV2||error -113|error -113|error -113
*ESE?;*ESE 4;sense1:slew?;*IDN?||reply 0|reply 5|reply 99
:SENS? ; *idn||reply 4|error -113
:output ON ; *IDN? ; :system:PAIR? ; :source1:SLEW:MODE FAST||output 1|reply 99|error -113|error -224
MODE MAXIMUM;:DIAG:VALV2?;:SOUR:voltage:slew?||error -113|reply 2|reply 2
*ESE?;:SYSTEM:NOTHINGX;:SOUR:SLEW||reply 0|error -113|error -109
:SENS1:VOLT:SLEW?;:SOUR1:LEVEL:IMM:AMPL #;:SYSTEM:FOO 5;SYST:PAIR 4,5,6||reply 5|error -101|error -113|error -113
:diagnostic:VALVE2;:SENS1:SLEW;*ESE #H10||error -113|error -113
*IDN ; :source1:VOLTAGE:slew:MODE?||error -113|reply 3
SLEW;:SYSTEM:PAIR?||error -113|error -113
:SOUR1:LEV:IMM ; system:PAIR 3||error -109|error -113
SENS:voltage?;:output 0||reply 4|output 0
SYST:pair? ; :SYST:NOTH||error -113|nothing
NAME?||error -113
:SOUR:SLEW?||reply 2
:SENS1:SLEW?;:system:PAIR||reply 5|error -109
:sense1:slewX?||error -113
:SOUR1:IMM:amplitude? ; *ESE? ; sense?||reply 1|reply 0|reply 4
:SOURCE1:IMM #||error -101
*ese||error -109
:SYST:PAIR?;NAME 'a;b';*IDN?;:source1:SLEW:MODE LIN||error -113|error -113|reply 99|mode 0
:SOUR1:SLEW:mode MAXIMUM;:OUTPUT Off;:system:NAME?||mode 1|output 0|error -113
*ese ; :system:FOO ; *idn ; :SYST:NAME "x,y"||error -109|error -113|error -113|name x,y
:SENSE?;:SOUR:SLEW?;:SOURCE:VOLTAGE:SLEW 7||reply 4|reply 2|slew 7
diagnostic:VALVE2||error -113
:SYST:name 'a;b'||name a;b
:SENS:VOLTAGE?;:SYST:PAIR 4,5,6;:SENSE||reply 4|error -108|error -113
SENS1:SLEW?||reply 5
SOURCE:VOLTAGE:SLEW;:system:pair 1, 2;SYST:NAME?||error -109|pair 1 2|error -113
:SYSTEM:PAIR 3 ; *IDN ; SYST:nothing? ; :OUTP?||error -109|error -113|error -113|reply 6
:SYST:NOTHING?;SYST:FOO;:source1:LEV?;SENSE||error -113|error -113|reply 1|error -113
SOUR:SLEW? ; :diagnostic:VALV2?||reply 2|reply 2
:SYST:PAIR 3 ; :SOURCE1:LEV:immediate MAX ; :SOUR:voltage:SLEW 5 V ; :DIAG:VALVE2||error -109|level MAX|error -138|error -113
:SOUR:SLEWX? ; :SYST:pair? ; VOLTAGE ; SOUR1:VOLT:level:amplitude?||error -113|error -113|error -113|reply 1
:SYST:pair 4,5,6;*ESE #H10||error -108
:sense1:VOLTAGE:slew;:SOUR:SLEW?||error -113|reply 2
:DIAG:valve2;*ESE 4||error -113
VOLT:SLEW?;:SOUR:SLEW?;:DIAG:VALVE2?;:SENS:VOLTAGE?||error -113|reply 2|reply 2|reply 4
*IDN ; voltage? ; *idn ; system:NAME?||error -113|error -113|error -113|error -113
SYST:pair 1,2;:SYST:nothing?;*ESE #H10;:system:foo?||pair 1 2|error -113|error -113
*idn? ; :DIAG:VALV2? ; *ese 4||reply 99|reply 2
:output 0;NOTH;SYSTEM:NAME?||output 0|error -113|error -113
*ESE #H10;:sense||error -113
*idn;OUTPUT?;:SYST:nothing 1||error -113|reply 6|error -108
SLEW 7 ; SENS1:VOLTAGE:SLEW? ; *IDN||error -113|reply 5|error -113
:SOUR:slew? ; :OUTPUT 0 ; sense:VOLT||reply 2|output 0|error -113
*ESE;SENS:VOLTAGE||error -109|error -113
*ESE? ; sense ; *IDN ; :OUTPUT:state?||reply 0|error -113|error -113|reply 6
:SYST:foo?||error -113
output 2 ; *IDN? ; SENS ; *ESE?||output 1|reply 99|error -113|reply 0
OUTP 2;system:NAME?||output 1|error -113
*IDN? ; *ESE 4 ; FOO||reply 99|error -113
:SENS;:SYST:nothing?;:system:NAME||error -113|error -113|error -109
:sense1:slew;:SENSE1:SLEW?;:sense?||error -113|reply 5|reply 4
:SYST:NOTH;*ESE 4;:SENS;:SENS?||nothing|error -113|reply 4
SYST:NAME? ; :SENSE:VOLTAGEX? ; :source1:voltageX:level 5||error -113|error -113|error -113
SOUR1:LEVEL MAX||level MAX
:source1:SLEW:mode FAST||error -224
*ESE #H10;:SENS:VOLT?;*ESE?;*ESE||reply 4|reply 16|error -109
:SOUR:SLEW?;source:slew;SYST:PAIR;SLEWX||reply 2|error -113|error -113|error -113
system:PAIR?||error -113
:system:PAIR?;SENS;SLEWX?||error -113|error -113|error -113
:SENS;:OUTP:STAT||error -113|error -109
:system:FOO?||error -113
valve2;:SYST:foo;:sense1:SLEW||error -113|error -113|error -113
SYST:PAIR?||error -113
SYSTEM:NOTH 1;:SOUR:SLEW 5 V;SLEW 5;NOTH||error -108|error -138|slew 5|error -113
:SOURCE:VOLT:slew;SENS:voltage||error -109|error -113
:sense1:VOLT:SLEW||error -113
:SYST:PAIR?;:SOUR1:VOLTAGE:level:IMM?||error -113|reply 1
SLEW 7;*IDN?;sense||error -113|reply 99|error -113
pair 1, 2 ; *ESE?||error -113|reply 0
:SYST:NAME?;:SYST:PAIR?||error -113|error -113
:SYSTEM:FOO?;:SYST:FOO 5;slew 7;FOO?||error -113|error -113|error -113|error -113
:SENSE1:voltage:slew||error -113
:SYST:NOTH 1;:SYST:pair;*ESE 4||error -108|error -109
SYST:PAIR?;sense1:SLEW?;:SENS:voltage;:DIAG:VALVE2||error -113|reply 5|error -113|error -113
:source1:slew:MODE? ; OUTP?||reply 3|error -113
SOUR1:amplitude?;:OUTP:STAT?;:SYST:NAME||reply 1|reply 6|error -109
:OUTPUT||error -109
VOLTAGE:SLEW?;SYSTEM:foo?||error -113|error -113
OUTP ON||output 1
sense1:SLEW? ; VALV2?||reply 5|error -113
SENS:VOLT?;*ESE?;:SYST:FOO 5;:SYST:PAIR 4,5,6||reply 4|reply 0|error -113|error -108
:SYST:PAIR?||error -113
:output Off;SOURCE1:SLEW:MODE?;:SENS1:VOLT:SLEW||output 0|reply 3|error -113
NAME?;:SYST:pair?;*IDN;:system:nothing?||error -113|error -113|error -113|error -113
SENS1:SLEW ; :SYSTEM:NAME? ; SYST:FOO?||error -113|error -113|error -113
:SYSTEM:pair? ; :SOUR:SLEW?||error -113|reply 2
SYST:PAIR 1, 2;*IDN||pair 1 2|error -113
:system:PAIR?||error -113
:SENS;SOUR:SLEW 5 V;pair 1, 2;SYST:FOO||error -113|error -138|error -113|error -113
source1?;*ese?;:DIAG:VALVE2?;:SYST:NAME?||reply 1|reply 0|reply 2|error -113
:output Off;FOO;:DIAG:VALVE2?;*IDN||output 0|error -113|reply 2|error -113
:SYSTEM:PAIR 4,5,6;NOTH 1||error -108|error -108
:SYST:NOTH?;*ESE 4;:SENS?||error -113|reply 4
:SYST:FOO?;:SOURCE1:LEVEL:AMPLITUDE 1,2;*ese #H10;*IDN||error -113|error -108|error -113
:SYST:NAME?;MODE?||error -113|error -113
SENS1:VOLT:SLEW;:sense:voltage||error -113|error -113
:system:NOTHX?;:SYST:NOTH?||error -113|error -113
:SYSTEM:pair 1,2;:SYSTEM:NOTH 1;SLEW||pair 1 2|error -108|error -113
SLEW:MODE MAXIMUM;*IDN||error -113|error -113
:OUTP 2||output 1
:SENSEX?;:SYSTEM:NAME?;SYSTEM:name 'a;b';:SOUR1:LEV:AMPL?||error -113|error -113|name a;b|reply 1
:SYST:NOTHING?;:output ON;:SOUR1:SLEW:MODE?||error -113|output 1|reply 3
:SOURCE1:VOLT:SLEW:MODE MAXIMUM;*IDN;AMPL MAX;:SOUR1:SLEW:mode MAXIMUM||mode 1|error -113|error -113|mode 1
FOO 5;*ese?;SYST:NAME||error -113|reply 0|error -109
:output:STAT;VALVE2?;*IDN||error -109|error -113|error -113
*IDN;valve2||error -113|error -113
:sense? ; :SYSTEM:PAIR 1, 2 ; IMMX MAX ; :SYSTEM:PAIR?||reply 4|pair 1 2|error -113|error -113
SLEW:MODE?||error -113
:SYST:NAME;NOTH 1;:OUTPUT:STAT Off;level?||error -109|error -108|output 0|error -113
SENS;:SYST:NOTH?;OUTP 2||error -113|error -113|output 1
VOLT:SLEW 5||error -113
:SYST:NOTH 1 ; :SOURCE1:VOLTAGE:SLEW:mode? ; PAIR 1,2 ; :SOUR1:SLEW:MODE off||error -108|reply 3|error -113|mode 2
VOLT:IMM?;:system:FOO 5;*idn;:SYSTEM:NOTH?||error -113|error -113|error -113|error -113
:source1:VOLTX:slew:MODE;FOO?;SOUR1:slew:MODE MAXIMUM||error -113|error -113|mode 1
*ESE #H10;SOUR1:SLEW:MODE||error -109
:SYST:PAIR 1, 2;:SYST:NAME "x,y";:SOUR1:VOLTAGE:IMM 2 KV;:OUTP?||pair 1 2|name x,y|level 2000000000|reply 6
DIAG:VALV2?;:OUTPUT:STAT?||reply 2|reply 6
SYST:NAME 'it''s'||name it's
*ESE 4;:SENS1:voltage:SLEW;:SENS1:VOLTAGE:SLEW;DIAG:VALVE2?||error -113|error -113|reply 2
:DIAGNOSTIC:VALVE2? ; level:AMPL ON||reply 2|error -113
:SYST:nothing 1 ; SOURCE1:LEV?||error -108|error -113
NOTHING;:SOUR:SLEW?||error -113|reply 2
:SYST:foo 5;*ESE;:output?||error -113|error -109|reply 6
*IDN? ; :SYST:foo 5||reply 99|error -113
:SENSE1:SLEW?;:SOUR1:LEV:amplitude?||reply 5|reply 1
:SYST:foo ; *IDN? ; SOUR1:level:amplitude 1,2 ; :source1:SLEW:MODE?||error -113|reply 99|error -108|reply 3
:SOURCE:voltage:SLEW?;:SYST:NOTH;SYST:name?;*ese #H10||reply 2|nothing|error -113
:system:foo;DIAG:VALV2?;OUTP Off;:SOUR1:IMMEDIATE?||error -113|reply 2|error -113|reply 1
SYSTEM:NAME?;SYST:PAIR 3;SLEW?||error -113|error -109|error -113
SOUR1:IMM?;SLEW:MODE?||reply 1|reply 3
:SOURCE:voltage:SLEW? ; *ESE?||reply 2|reply 0
*idn ; STATE 2||error -113|error -113
:SENS1:SLEW?;SOUR1:IMM;:diagnostic:VALV2;:SYST:pair 1, 2||reply 5|error -113|error -113|pair 1 2
:SYSTEMX:PAIR?||error -113
*ese? ; *ESE 4||reply 0
:SOURCE:SLEW;*ESE?;MODE?||error -109|reply 0|error -113
NAME 'a;b';*IDN;PAIR 1, 2||error -113|error -113|error -113
:SOURCE1:LEVEL:amplitude?;:source1:VOLT:SLEW:mode MAXIMUM||reply 1|mode 1
:SYSTEM:name?;SLEW?;FOO?||error -113|error -113|error -113
SYST:pair ; SYSTEM:NAME 'it''s' ; *IDNX?||error -109|error -113|error -113
foo 5 ; source1:LEV:IMMEDIATE? ; VOLT ; :SYST:NOTH 1||error -113|reply 1|error -113|error -108
:SYSTEM:FOO;:output 2;:OUTP:state ON;SOUR:VOLTAGE:SLEW||error -113|output 1|output 1|error -113
OUTP?||reply 6
:SOURCE1? ; *IDN? ; :SYSTEM:NAME?||reply 1|reply 99|error -113
:SENS1:slew?;:SOURCE:SLEW 7;sense:VOLTAGE;SLEW?||reply 5|slew 7|error -113|reply 2
:DIAG:valve2||error -113
system:NAME?;:SENS||error -113|error -113
:DIAG:VALVE2;:SENSE;VOLTAGE:slew 7||error -113|error -113|error -113
:SOUR1:slew:MODE||error -109
:SYST:pair?;:SYST:NAME?;:SOUR:SLEW||error -113|error -113|error -109
:output:STATE 2 ; SOUR1:SLEW:MODE ; :source1:SLEW:MODE LIN ; :SYST:PAIR 4,5,6||output 1|error -113|mode 0|error -108
:DIAGNOSTIC:VALVE2? ; PAIR 1, 2 ; :SOUR1:LEV:AMPL 1,2||reply 2|error -113|error -108
SYSTEM:NAME?||error -113
:OUTPUT ON ; immediate? ; :SYST:NAME "x,y"||output 1|error -113|name x,y
:SOUR:slew;:SOUR1:voltage:LEVEL:AMPL?||error -109|reply 1
:SYSTEM:FOO ; :SOUR:VOLT:SLEW 5 V ; :SOURCE1:slew:MODE off||error -113|error -138|mode 2
:SOUR1:VOLT:level:AMPLITUDE?;SLEW?;:SYST:nothing 1;:DIAGNOSTIC:VALV2||reply 1|error -113|error -108|error -113
IMMEDIATE MAX ; :DIAGNOSTIC:VALV2? ; *eseX||error -113|reply 2|error -113
:diagnostic:VALV2?;*ESE?;foo 5||reply 2|reply 0|error -113
:SENS ; :SYST:FOO ; :SYSTEM:FOO? ; :OUTPUT 0||error -113|error -113|error -113|output 0
:SOUR:SLEW 5 V ; FOO? ; *ESE? ; :SYST:pair 1,2||error -138|error -113|reply 0|pair 1 2
MODE?;NOTH 1;:SENS||error -113|error -113|error -113
STATE ON||error -113
SYST:NOTH?;:SOUR1:VOLTAGE:AMPL?||error -113|reply 1
foo;:source:SLEW 5 V;SYSTEM:NAME 'a;b';:SENS1:SLEW||error -113|error -138|error -113|error -113
foo? ; NOTHX||error -113|error -113
:SOUR:SLEW 7 ; *idn ; :SENS1:SLEW ; :system:PAIR 4,5,6||slew 7|error -113|error -113|error -108
:SOUR1?;:SYST:PAIR 4,5,6||reply 1|error -108
:SOUR1:voltage?||reply 1
NAME ; :system:NOTH 1 ; *IDN ; diagnostic:VALV2?||error -113|error -108|error -113|error -113
NOTH 1;*ESE #H10||error -113
*ESE?;*ESE?;system:foo?||reply 0|reply 0|error -113
STAT 0||error -113
*ESE 4 ; :output ON||output 1
:SOUR1:LEV?;voltage:LEV:AMPLITUDE 2 KV;*ESE?;:source1 2 KV||reply 1|level 2000000000|reply 0|level 2000000000
SYST:NAME?||error -113
*IDN ; :OUTP? ; :OUTP ON ; :sense||error -113|reply 6|output 1|error -113
VALVE2?||error -113
sense1:SLEW||error -113
*idn?;*ese?;diagnosticX:valve2||reply 99|reply 0|error -113
source:SLEW;immediate 2 KV;:SYST:nothing 1;:OUTP 0||error -109|level 2000000000|error -108|output 0
PAIR?;STAT 2||error -113|error -113
:system:PAIR?;:SYSTEM:FOO 5;:SOURCE1:voltage:SLEW:MODE LIN;*ESE 4||error -113|error -113|mode 0
NOTH?||error -113
SYST:PAIRX?;:SENS1:VOLTAGE:SLEW?||error -113|reply 5
:SYSTEM:foo;:DIAGNOSTIC:VALV2?;:SYST:FOO?;:SOUR1:VOLT:IMMEDIATE ON||error -113|reply 2|error -113|error -224
SYSTEM:NAME?;:DIAG:VALV2?;system:NAME||error -113|reply 2|error -113
fooX;DIAG:VALV2||error -113|error -113
:SOUR1:voltage:IMMEDIATE:AMPLITUDE?;system:PAIR 3;:sense1:voltage:SLEW;:SENS1:SLEW||reply 1|error -113|error -113|error -113
*IDN;:diagnostic:VALVE2;SYST:pair||error -113|error -113|error -109
:DIAG:valve2 ; *IDN ; DIAG:VALV2?||error -113|error -113|reply 2
MODEX?;slew;SENS?;:SENS1:SLEW||error -113|error -113|reply 4|error -113
:SYSTEM:NOTH;:SYST:pair 1,2||nothing|pair 1 2
:SYSTEM:foo?;:sense?;VALV2;sense||error -113|reply 4|error -113|error -113
:OUTP;:SENS1:voltage:SLEW;MODE off||error -109|error -113|error -113
SLEW:MODE? ; *IDN? ; :system:PAIR ; SYST:NOTH||error -113|reply 99|error -109|error -113
:SENSE?;:SYSTEM:FOO?;SLEW:MODE?;FOO?||reply 4|error -113|error -113|error -113
VOLTAGE:LEVEL:IMMEDIATE?;*IDN;source:SLEW||error -113|error -113|error -109
:output? ; SLEW 5 V ; *IDN? ; :SOUR1:VOLT:SLEW:MODE MAXIMUM||reply 6|error -113|reply 99|mode 1
SOURCE:VOLT:SLEW? ; :DIAG:VALVE2 ; SENS:VOLTAGE?||reply 2|error -113|error -113
:SYST:NAME? ; NAME 'a;b' ; sense:VOLT? ; *ESE?||error -113|error -113|reply 4|reply 0
:SENS:voltage;SOUR1:VOLTAGE:LEV:immediate?;SOUR1:voltage:IMM MAX||error -113|reply 1|error -113
*idn?;:DIAGNOSTIC:VALV2?;source1:SLEW:MODE?;:diagnostic:valve2||reply 99|reply 2|error -113|error -113
*idn?;:SENSE1:SLEW;*IDN;NAME?||reply 99|error -113|error -113|error -113
NAME 'a;b';:DIAG:valve2;:system:FOO?;sense1:VOLTAGE:SLEW||error -113|error -113|error -113|error -113
:SOURCE1:SLEW:MODE off;SYST:NAME 'it''s';FOOX 5||mode 2|error -113|error -113
voltage:SLEW:MODE off;:OUTP 2;*IDN?;*IDN||error -113|output 1|reply 99|error -113
:SENS1:VOLT:SLEW?;*IDN||reply 5|error -113
SLEW 7||error -113
:SOUR1:SLEW:MODE||error -109
source1:voltage:IMMEDIATE? ; :SOUR1:VOLTAGE:SLEW:MODE ; :diagnostic:valve2||reply 1|error -109|error -113
:SENS1:SLEW;diagnostic:VALV2||error -113|error -113
:OUTP:STATE 2||output 1
:source1:SLEW:MODE||error -109
:SYST:PAIR 3;:SENSE1:slew?;AMPL?;*IDN?||error -109|reply 5|error -113|reply 99
:SENS1:SLEW?;nothing?;NOTH;:SYSTEM:NOTHING?||reply 5|error -113|error -113|error -113
*ESE;system:PAIR?;*ese 4;*IDN||error -109|error -113|error -113
:OUTPUT?;NAME?;sense:VOLTAGE||reply 6|error -113|error -113
system:pair 4,5,6;:OUTP;source1:VOLT:slew:mode LIN;:SYST:NAME 'it''s'||error -108|error -109|mode 0|name it's
*IDN?;:SENSE1:SLEW?;:SYST:NAME?||reply 99|reply 5|error -113
*idn;:SYSTEM:NOTH?;:system:NAME?;SENSE:voltage?||error -113|error -113|error -113|reply 4
*IDN ; :OUTP:STAT? ; :source1:voltage 1.5E1 ; :SYST:PAIR 4,5,6||error -113|reply 6|level 15000000|error -108
:SENSE1:voltage:SLEW?;NOTHING 1;*ESE?||reply 5|error -113|reply 0
:source1:SLEW:MODE?;OUTP ON;SYST:PAIR?;SYSTEM:NAME "x,y"||reply 3|error -113|error -113|error -113
SOUR1 MAX;pair?;:DIAG:VALV2?||level MAX|error -113|reply 2
:SENS1:VOLT:slew? ; NOTH 1 ; *IDN? ; source1:VOLT:SLEW:MODE off||reply 5|error -113|reply 99|mode 2
NOTHING||error -113
:SYST:FOO;:SOUR:SLEW?;:OUTPUT:STAT||error -113|reply 2|error -109
:SOURCE1:VOLTAGE:LEV:AMPLITUDE?;:SOUR1:IMM:amplitude MAX;NOTHING?;:SYSTEM:FOO?||reply 1|level MAX|error -113|error -113
SENS1:SLEW;:SYST:FOO 5;PAIR 3;:SOUR1:SLEW:mode LIN||error -113|error -113|error -113|mode 0
SYSTEM:PAIR?||error -113
*IDN ; :system:NAME 'it''s' ; *ESE 4 ; MODE?||error -113|name it's|error -113
:OUTP 0;*idn?||output 0|reply 99
*ESE #H10 ; :source:SLEW?||reply 2
:system:PAIR?;SLEW:MODE off;name?||error -113|error -113|error -113
voltage?;VOLTAGE:SLEW?;OUTP:STAT?;:SYST:NOTH||error -113|error -113|reply 6|nothing
:DIAGNOSTIC:valve2||error -113
:sense1:SLEW ; *IDN||error -113|error -113
:DIAGNOSTIC:VALVE2? ; :SYST:NOTHING 1 ; :DIAGX:VALV2? ; OUTP 0||reply 2|error -108|error -113|error -113
:SENS1:VOLT:SLEW ; STATE? ; :system:PAIR?||error -113|error -113|error -113
:DIAGNOSTIC:VALVE2?;:OUTP:STAT?;:diagnostic:VALV2?;:DIAGNOSTIC:VALV2||reply 2|reply 6|reply 2|error -113
:source:SLEW 5 V ; :SYSTX:nothing? ; NOTHING?||error -138|error -113|error -113
*idn;:DIAG:VALVE2?;slewX:MODE MAXIMUM;system:NAME 'a;b'||error -113|reply 2|error -113|error -113
sense:voltage;:SENS1:VOLTAGE:slew;FOO 5;name "x,y"||error -113|error -113|error -113|error -113
SYST:NAME 'a;b' ; :system:NAME "x,y" ; :source1:VOLT:IMMX:AMPL? ; :SYST:NOTH?||name a;b|name x,y|error -113|error -113
*ESE?;SYSTEM:pair 4,5,6;OUTPUT ON||reply 0|error -108|error -113
NOTHING 1;AMPL?;*idn?;:SENS:VOLT?||error -113|error -113|reply 99|reply 4
SOUR1:VOLTAGE:LEV:AMPLITUDE?;:SOUR1:IMMEDIATE?;:SENS1:SLEW?;*IDN?||reply 1|reply 1|reply 5|reply 99
*ese? ; VALVE2X ; :SOURCE:VOLT:SLEW||reply 0|error -113|error -109
:DIAG:VALV2||error -113
SLEW 5 V||error -113
*ESE 4;SENS;*ESE 4||error -113
slew 7||error -113
LEV ; foo?||error -113|error -113
SYST:NAME? ; :SOUR1:SLEW:MODE MAXIMUM||error -113|mode 1
SENS:voltage? ; SYSTEM:NOTH? ; :SOURCE1:SLEW:MODE? ; :SYSTEM:name?||reply 4|error -113|reply 3|error -113
:source:slew?;:SENS||reply 2|error -113
SYST:PAIR 4,5,6||error -108
system:NAME;SYST:PAIR?;VALVE2?||error -109|error -113|error -113
LEV:IMM:AMPL ON ; :sense:VOLT? ; valve2?||error -113|reply 4|error -113
sense:VOLT;source:slew 5||error -113|slew 5
:system:PAIRX? ; :SYSTEM:nothing?||error -113|error -113
source1:SLEW:MODE? ; :SYST:NOTH? ; :OUTP? ; :DIAG:valve2||reply 3|error -113|reply 6|error -113
*ESE #H10;SENS?||reply 4
:OUTP?;NAME||reply 6|error -113
:OUTP ON;:SYST:pair?||output 1|error -113
SYST:NAME "x,y" ; :SYST:NAME? ; :OUTP ON||name x,y|error -113|output 1
:DIAG:VALVE2? ; SLEW:mode ; :diagnostic:VALV2? ; :SYSTEM:PAIR?||reply 2|error -113|reply 2|error -113
:SYST:NOTHING 1 ; *ESE?||error -108|reply 0
PAIR 1,2;:SOUR1:VOLT:IMMEDIATE?;:SYSTEM:NAME "x,y";:DIAG:VALV2||error -113|reply 1|name x,y|error -113
SOUR1:SLEW:mode off;*ese;:DIAG:valve2?;:SYSTEM:name?||mode 2|error -109|reply 2|error -113
*ESE?;name?||reply 0|error -113
:system:NAME?;*IDN?;foo 5||error -113|reply 99|error -113
VOLT 5;:SENS||error -113|error -113
LEV:AMPLITUDE?;voltage:LEV #;SENS1:SLEW||error -113|error -101|error -113
:sense1:VOLTAGE:slew;*ese 4;:SENSE:VOLT?;:OUTP Off||error -113|reply 4|output 0
*IDN;:DIAG:valve2;*ese;SENSE:VOLTAGE||error -113|error -113|error -109|error -113
:SYST:nothing?;NAME?||error -113|error -113
:SYST:NOTH ; :system:nothing?||nothing|error -113
*ESE;SENSE1:SLEW?;:SENSE:VOLTAGE?;*ESE?||error -109|reply 5|reply 4|reply 0
system:PAIR 1, 2;:DIAG:VALV2||pair 1 2|error -113
:DIAG:VALV2?;:SYSTEM:NOTH 1;:DIAG:valve2?||reply 2|error -108|reply 2
SYST:NOTH 1;:SYSTEM:FOO?;:SOUR:VOLT:SLEW?;SOURCE1:LEV?||error -108|error -113|reply 2|error -113
:OUTPUT?;*ese;*IDN?;*idn?||reply 6|error -109|reply 99|reply 99
*idn||error -113
*ESE 4;foo;:system:name 'it''s'||error -113|name it's
source1:voltage:SLEW:MODE?;*IDN?;*ese #H10;:SYST:NAME?||reply 3|reply 99|error -113
source1:voltage:SLEW:mode?||reply 3
NOTHING? ; nothing 1 ; SYST:pair 1, 2 ; *ESE #H10||error -113|error -113|pair 1 2
NAME? ; :SOURCE1:level # ; *IDN||error -113|error -101|error -113
:SYST:NAME? ; outputX:STAT?||error -113|error -113
sense ; :output 0||error -113|output 0
:SOURCE1:slew:MODE MAXIMUM;NOTH?||mode 1|error -113
:OUTPUT? ; SENS?||reply 6|reply 4
SYSTEM:foo 5;:source1:SLEW:MODE?;:SOUR1:VOLTAGE:slew:MODE?||error -113|reply 3|reply 3
:DIAG:valve2 ; *ese? ; DIAGNOSTIC:VALV2||error -113|reply 0|error -113
:sense1:VOLT:SLEW ; :SOUR1:VOLT:SLEW:MODE FAST ; NAME 'a;b' ; :SENS?||error -113|error -224|error -113|reply 4
slew ; :DIAGNOSTIC:VALV2 ; SYST:NAME||error -113|error -113|error -109
:diagnostic:VALVE2?||reply 2
SLEW?;system:NOTH 1;*ESE?;:system:NOTH?||error -113|error -108|reply 0|error -113
:OUTPUT:state ON;*IDN?;:DIAG:VALVE2?||output 1|reply 99|reply 2
*IDN? ; :source1:LEV 1.5E1||reply 99|level 15000000
*ESE #H10||
:source:slew?||reply 2
state?||error -113
:SYST:NAME?;:SYST:PAIR 4,5,6||error -113|error -108
name;:sense?;:SYST:PAIR;:SOURCE1:voltage:IMM?||error -113|reply 4|error -109|reply 1
:output:STATE 0||output 0
name;:system:NOTHING 1;OUTPUT 0;VALVE2||error -113|error -108|error -113|error -113
name? ; *ese?||error -113|reply 0
:SYSTEM:PAIR 4,5,6||error -108
:SOUR:SLEW?;*ESE #H10;:SENS1:SLEW?||reply 2|reply 5
VOLTAGE:SLEW? ; PAIR 1, 2||error -113|error -113
:SYSTEM:NOTHING?;SOURCE1:VOLTAGE:LEVEL 1.5E1;:DIAGNOSTIC:VALV2?||error -113|level 15000000|reply 2
:sense:VOLT;STAT?;:SOUR:SLEW;DIAG:VALVE2||error -113|error -113|error -109|error -113
:SOUR1:IMM:amplitude 1.5E1;SYST:NAME;:SOUR:slew?||level 15000000|error -113|reply 2
VOLTAGE?||error -113
:DIAGNOSTIC:valve2;:SYST:nameX?;SYST:NOTH?||error -113|error -113|error -113
MODE?;:SOURCE:VOLT:SLEW 5;slew:MODE FAST||error -113|slew 5|error -224
*ESEX ; *ESE ; :system:PAIR? ; :SOUR:VOLT:SLEW?||error -113|error -109|error -113|reply 2
:SOUR1:VOLT:SLEW:MODE?;:source:VOLT:SLEW?;:SYSTEM:NAME?;:SOUR1:LEVEL 2 KV||reply 3|reply 2|error -113|level 2000000000
*ESE #H10 ; *ese #H10 ; :SYSTEM:FOO? ; :SOUR:voltage:SLEW 7||error -113|slew 7
SENS1:SLEW||error -113
*ESE #H10 ; :SYST:NOTH||nothing
SENS:VOLT;FOO 5;*IDN;:SOUR1:voltage:SLEW:MODE?||error -113|error -113|error -113|reply 3
:DIAG:valve2? ; *idn?||reply 2|reply 99
:OUTP 0;*idn?;*ESE;:DIAGNOSTIC:VALV2||output 0|reply 99|error -109|error -113
MODE?||error -113
SOUR:SLEW;:OUTP:STAT?;:DIAGNOSTIC:VALVE2?||error -109|reply 6|reply 2
*idn? ; OUTP? ; :SENS1:voltage:SLEW||reply 99|reply 6|error -113
*ESE?;:diagnosticX:valve2?;*ESE?;:SOUR1:VOLT:SLEW:MODE MAXIMUM||reply 0|error -113|reply 0|mode 1
:SYST:NAME 'it''s' ; SYST:pair? ; :SENSE1:SLEW ; system:NAME?||name it's|error -113|error -113|error -113
NAME? ; PAIR 1,2 ; :system:foo?||error -113|error -113|error -113
:SOUR:SLEW||error -109
:SOUR1:level:IMMEDIATE:AMPLITUDE?;:SOUR:voltage:SLEW 7;*ese?;SOURCE1:voltage:level:AMPLITUDE?||reply 1|slew 7|reply 0|reply 1
:system:NOTH 1;SOUR1:voltage:SLEWX:MODE LIN;:SOUR1:voltage:level:AMPL ON;SYSTEMX:foo 5||error -108|error -113|error -224|error -113
:SOURCE:SLEW?;*ese?;SYST:FOO 5||reply 2|reply 0|error -113
NOTH?;SOURCE:VOLT:SLEW 5 V||error -113|error -138
:system:NAME 'it''s';SENSE?;:sourceX:VOLT:SLEW 5||name it's|error -113|error -113
*IDN?;:SENS;:SYST:NAME?;*ESE||reply 99|error -113|error -113|error -109
SENS:VOLTAGE?;SENS;DIAG:valve2||reply 4|error -113|error -113
:SENSE1:VOLTAGE:SLEW||error -113
:SOUR:VOLTAGE:SLEW 7 ; FOO?||slew 7|error -113
:source1:voltage:SLEW:mode FAST ; source1:IMMEDIATE ON ; :SOUR1:VOLT:level? ; :SYST:PAIR?||error -224|error -113|reply 1|error -113
:DIAGNOSTIC:VALV2;VALV2;:SYST:NOTH?||error -113|error -113|error -113
:OUTP:STATE?;:sense?;:OUTP:STAT||reply 6|reply 4|error -109
:SOUR1:slew:MODE?;DIAGNOSTIC:VALV2?;OUTPUT ON||reply 3|error -113|error -113
:system:NAME?||error -113
VOLTAGE:slew:MODE off;:SOUR1:level 2 KV;:system:NAME?||error -113|level 2000000000|error -113
:SYST:FOO? ; immediate:AMPLITUDE # ; :SENSE1:SLEW? ; :SYST:PAIR||error -113|error -101|reply 5|error -109
:system:FOO 5;*ESE #H10;:SYSTEM:FOO;:system:NOTHING?||error -113|error -113|error -113
sense:VOLT?;:SYST:PAIR 4,5,6;*ESE #H10;:SOURCE:slew?||reply 4|error -108|reply 2
:SYSTEM:FOO?;*IDN?||error -113|reply 99
SLEW? ; :SENS1:SLEW ; :SYST:NAME?||error -113|error -113|error -113
:sense1:SLEW||error -113
:SYST:pair 3||error -109
:SOUR:VOLTAGE:slew 7 ; :SYST:PAIR? ; SYST:NAME 'it''s' ; DIAGNOSTIC:VALVE2||slew 7|error -113|error -113|error -113
SOUR1:VOLT:level 5;:SYST:NAME?;:SYSTEM:PAIR 4,5,6;*ESEX?||level 5000000|error -113|error -108|error -113
SLEW:mode MAXIMUM;*ESE?||error -113|reply 0
:source1:level:immediate?;:sense?;:SOURCE1||reply 1|reply 4|error -109
:SYSTEM:NAME 'a;b';:output Off;SOUR1:IMMEDIATE 5||name a;b|output 0|level 5000000
system:FOO;NOTH;*IDN;FOO||error -113|error -113|error -113|error -113
:SYSTEM:foo;SYST:nothing 1;:diagnostic:VALV2;FOO 5||error -113|error -108|error -113|error -113
NAME "x,y";:DIAG:valve2;SYSTEM:NOTH?;:source1:AMPLITUDE?||error -113|error -113|error -113|reply 1
:DIAG:valve2?;:SOUR:SLEW?;:SYST:FOO?;:SENS:voltage||reply 2|reply 2|error -113|error -113
:SYST:name?;:SYSTEM:pair?;*IDN?;:system:PAIR?||error -113|error -113|reply 99|error -113
*ese #H10 ; :sense:VOLTAGE||error -113
*IDN? ; :SYST:PAIR?||reply 99|error -113
SYST:PAIR 4,5,6;system:PAIR;:SYST:FOO 5||error -108|error -113|error -113
NOTH 1 ; *ese? ; *ese? ; *ESE #H10||error -113|reply 0|reply 0
MODE MAXIMUM;:output||error -113|error -109
VOLT:AMPL 1,2;valve2?;:system:NAME?||error -113|error -113|error -113
*ese #H10 ; :OUTPUT:STAT? ; :sense||reply 6|error -113
:SYST:pair 1, 2;:sourceX:SLEW;*IDN;:system:NAME 'a;b'||pair 1 2|error -113|error -113|name a;b
NAME "x,y" ; system:NAME "x,y" ; SYSTEM:NOTHINGX||error -113|name x,y|error -113
:SENS1:SLEW ; SYST:FOO? ; SLEW? ; :OUTPUT:state?||error -113|error -113|error -113|reply 6
:SOUR:SLEW 5;SYST:NOTH||slew 5|error -113
*ESE;SOUR:VOLT:slew?||error -109|reply 2
SLEW?;:SENSE||error -113|error -113
SOUR1:SLEW:mode?;*IDN||reply 3|error -113
output Off||output 0
:SOUR1 # ; :diagnostic:VALV2 ; :SYST:nothing 1||error -101|error -113|error -108
output?;:SYSTEM:name "x,y";:SOURCE1:IMM ON||reply 6|name x,y|error -224
DIAGNOSTIC:VALV2;:DIAGNOSTIC:VALV2;*IDN?;:SOURCE1:VOLT:SLEW:MODE MAXIMUM||error -113|error -113|reply 99|mode 1
:SENS:VOLT?;:SOUR1:immediate?;*IDN?;*ESE||reply 4|reply 1|reply 99|error -109
:DIAG:VALV2;:SYSTEM:pair?;:DIAG:valve2?||error -113|error -113|reply 2
:SYST:NAME "x,y";*ESE?;:sense1:SLEW;system:NAME?||name x,y|reply 0|error -113|error -113
:OUTP:state?;*ESE;VOLT:SLEW:mode;NAME?||reply 6|error -109|error -113|error -113
OUTP?;*idn?;:system:NAME?;:SOUR1:voltage:slew:MODE?||reply 6|reply 99|error -113|reply 3
*IDN?;*idn?;SLEW 7;:source1:slew:MODE LIN||reply 99|reply 99|error -113|mode 0
:SYSTEM:name||error -109
SOUR1:VOLT:SLEW:mode?;SLEW:MODE off;:system:foo||reply 3|error -113|error -113
SLEW:mode?;:source:VOLT:SLEWX 5 V;:SYST:FOO?||error -113|error -113|error -113
:SYST:FOO?;sense?;:SYST:nothing?||error -113|reply 4|error -113
:SYST:name 'it''s' ; PAIR? ; :DIAG:VALVE2||name it's|error -113|error -113
*ESE 4 ; system:PAIR?||error -113
SOUR:SLEW? ; *IDN? ; :SOUR1:VOLT:SLEW:MODE||reply 2|reply 99|error -109
*ESE;:SOURCE1:VOLT:SLEW:MODE FAST||error -109|error -224
:SENS1:SLEW?;SENS1:VOLT:SLEW?;SOURCE1:SLEW:MODE?;LEV?||reply 5|error -113|error -113|error -113
:SENSE1:slew ; OUTP 2 ; :SENS1:SLEW? ; NAME?||error -113|output 1|reply 5|error -113
:SENS? ; *ESE ; FOO 5||reply 4|error -109|error -113
:system:PAIR?;:SYST:PAIR?;:SENS:voltage;:diagnostic:VALV2||error -113|error -113|error -113|error -113
:SENS;SLEW 7||error -113|error -113
:SOUR:SLEW 7||slew 7
:diagnostic:VALV2;PAIR 1, 2;:SYST:PAIR 3;:SOUR1:LEV:IMMEDIATE:AMPLITUDE 5||error -113|error -113|error -109|level 5000000
PAIRX;*ESE?||error -113|reply 0
:SENS1:VOLT:SLEW?||reply 5
DIAGNOSTIC:VALV2;:source1:voltage:SLEW:mode?;:system:NAME?||error -113|reply 3|error -113
:SYST:nothing?;sense?;nothing?;NOTH||error -113|reply 4|error -113|error -113
:OUTPUT 0 ; :sense1:SLEW ; MODE?||output 0|error -113|error -113
:SENSE1:VOLTAGE:SLEW;name 'a;b';*IDN?;mode?||error -113|error -113|reply 99|error -113
:SOUR:voltage:SLEW?;:source1:level:IMM?;:SYSTEM:NOTHING 1||reply 2|reply 1|error -108
:SOUR1:VOLTAGE?||reply 1
IMM 2 KV;SOUR:SLEW;:SYST:NAME "x,y"||error -113|error -109|name x,y
OUTP Off||output 0
:SENSE1:SLEW?||reply 5
diagnostic:valve2;:system:pair;:DIAG:VALV2||error -113|error -109|error -113
:system:PAIR 4,5,6;*IDN;*ESE?;:SENS||error -108|error -113|reply 0|error -113
FOO 5;:SYSTEM:NOTH?;MODE MAXIMUM||error -113|error -113|error -113
SYST:NOTHING ; NAME 'a;b'||nothing|name a;b
:SOUR:SLEW?;:SYST:foo?||reply 2|error -113
*ese;SENSE1:SLEW?||error -109|reply 5
:sense:VOLT ; FOO ; FOO? ; :SOUR1||error -113|error -113|error -113|error -109
:SYSTEM:NAME "x,y" ; slew? ; :system:name||name x,y|error -113|error -109
SYST:NOTH 1 ; :SENS1:VOLT:SLEW ; NAME||error -108|error -113|error -109
:system:NOTH 1||error -108
SYST:nothing? ; DIAG:valve2 ; *idn?||error -113|error -113|reply 99
:SOURCE1:SLEW:MODE LIN ; :SYST:NOTH||mode 0|nothing
:SOURCE1:VOLTAGEX:SLEW:MODE? ; SYSTEM:PAIR 4,5,6 ; :SENSE?||error -113|error -108|reply 4
system:foo? ; :diagnostic:VALV2 ; :system:foo?||error -113|error -113|error -113
:SENSE1:SLEW ; :SYSTEM:FOO?||error -113|error -113
*idn ; name?||error -113|error -113
:SYST:nothing;SOUR:VOLT:slew 7||nothing|error -113
:SOUR1:VOLTAGE:AMPL?||reply 1
:system:NAME 'it''s' ; :SENS1:SLEW||name it's|error -113
SOURCE1:immediate 5;:sense?;PAIR||level 5000000|reply 4|error -113
*ese #H10;:SYSTEMX:NOTH?;level:IMM:amplitude?||error -113|error -113
SOUR1:VOLTAGE #;*ESE;SOURCE:SLEW 5 V;system:FOO 5||error -101|error -109|error -138|error -113
OUTP?;:SOURCE:SLEW 5 V;OUTPUT ON;:SOUR1:AMPL?||reply 6|error -138|error -113|reply 1
:SOURCE1:SLEW:mode LIN||mode 0
:sense1:slew;PAIR 1, 2;SOURCE:SLEW 5||error -113|error -113|slew 5
:SOUR1:slew:mode? ; DIAGNOSTIC:valve2?||reply 3|error -113
:OUTPUT:STAT? ; :SOURCE1:LEV 1,2 ; :OUTP:STAT?||reply 6|error -108|reply 6
output:STATE 0;*ESE 4;:SENS1:SLEW||output 0|error -113
*ESE?;:SOUR1 5;:system:NAME?||reply 0|level 5000000|error -113
:output:state?;:SYST:PAIR?;*ese #H10;:SOURCE1?||reply 6|error -113|reply 1
:SYSTEM:NAME;valve2?;*IDN?||error -109|error -113|reply 99
slew:MODE off ; SENSE||error -113|error -113
:SYST:FOO? ; *IDN ; :SOURCE:SLEW? ; STAT 0||error -113|error -113|reply 2|error -113
:SYST:FOO||error -113
:SOURCE1:VOLTAGE:level:IMM:AMPL?;:SOUR1:VOLTAGE:level:immediate 2 KV;amplitude 2 KV;diagnostic:VALVE2||reply 1|level 2000000000|level 2000000000|error -113
*ESEX?;:source1:VOLT:SLEW:MODE LIN||error -113|mode 0
state? ; SLEW:MODE?||error -113|error -113
:SYSTEM:FOO?;:SYSTEM:NAME?;:system:PAIR?;:SENSE||error -113|error -113|error -113|error -113
:diagnostic:VALV2? ; SYST:PAIR?||reply 2|error -113
:diagnostic:VALVE2||error -113
:source1:SLEW:MODE MAXIMUM ; :OUTP:STAT? ; SYSTEM:NOTHING?||mode 1|reply 6|error -113
:source:VOLT:SLEW? ; :OUTPUT:STAT? ; source:voltage:SLEW 5 V ; OUTP:state||reply 2|reply 6|error -113|error -113
VOLT:slew 5||error -113
SLEW?;:sense;SLEW?||error -113|error -113|error -113
:SYST:FOO 5;:sense1:VOLTAGE:SLEW;:SOUR1:VOLT:LEV:IMM 5||error -113|error -113|level 5000000
VOLT:SLEW?;:SYST:foo 5;:SYST:NOTHING?||error -113|error -113|error -113
nothing 1||error -113
:SYST:foo 5;:diagnostic:VALV2?;:SOUR1:voltage:SLEW:MODE off;:SENS1:SLEW||error -113|reply 2|mode 2|error -113
:OUTPUTX 0;:SENS1:SLEW?;SOUR1:AMPLITUDE ON;SOURCE1:SLEW:MODE?||error -113|reply 5|error -113|error -113
MODE LIN;*IDN?;:SENS1:slew||error -113|reply 99|error -113
:source1:IMMEDIATE?||reply 1
VOLTAGE:SLEW 5 V||error -113
OUTP:STATE;:SYST:NOTH||error -109|nothing
output? ; *ESE 4 ; *ese ; :source1:SLEW:MODE?||reply 6|error -109|reply 3
:SOURCE1:LEVEL MAX||level MAX
:system:NOTH ; diagnostic:VALVE2? ; *ESE?||nothing|error -113|reply 0
:OUTP 0;*IDN||output 0|error -113
:sense?;*IDN?;*ESE?||reply 4|reply 99|reply 0
:SOUR1:slew:MODE?||reply 3
:OUTP:STAT 0||output 0
SENS:VOLT?;valve2?;:SOUR1:VOLT:IMMEDIATE #||reply 4|error -113|error -101
*IDN?;:output;*IDN?;:SENS1:SLEW||reply 99|error -109|reply 99|error -113
:system:NOTH;*ESE #H10||nothing
:SOURCE1:VOLTAGEX?;:SOUR1:VOLTAGE:SLEW:MODE FAST;:SOUR1:VOLT:level:AMPLITUDE?;SOUR1:slew:mode?||error -113|error -224|reply 1|error -113
pair 3;*ESE?||error -113|reply 0
VOLT:SLEW?||error -113
:SOUR:slew?||reply 2
voltage:slew;*IDN;SYST:NOTH 1;:OUTP ON||error -113|error -113|error -108|output 1
*ese? ; diagnostic:VALV2? ; *ESE? ; SENS||reply 0|reply 2|reply 0|error -113
:OUTP:STAT?;SLEW:mode FAST||reply 6|error -113
*ESE? ; :sense1:SLEW||reply 0|error -113
:SOUR1:VOLT # ; sense ; :DIAGX:VALV2 ; VALV2?||error -101|error -113|error -113|error -113
:DIAG:VALV2;:SYST:foo;*ese?;*ESE?||error -113|error -113|reply 0|reply 0
:SENSE1:VOLTAGE:SLEW?||reply 5
MODE off||error -113
:SENS1:voltage:SLEW? ; SENS||reply 5|error -113
:SENS? ; SYSTEM:NAME? ; *ESE #H10||reply 4|error -113
DIAGNOSTIC:VALV2;*IDN||error -113|error -113
SYSTEM:PAIR 3;DIAGNOSTIC:VALV2?;sense||error -109|error -113|error -113
IMM 1,2;:SYST:foo?||error -113|error -113
SYST:NAME "x,y"||name x,y
:SOURCE1:SLEW:mode FAST;:system:nothing||error -224|nothing
DIAGNOSTIC:VALVE2 ; SLEW||error -113|error -113
DIAG:VALV2||error -113
SYST:FOO 5 ; diagnostic:VALV2? ; SYST:FOO||error -113|reply 2|error -113
:sense1:VOLT:SLEW;:SOUR1:VOLTAGE:level:IMMEDIATE?;:source1X:LEV:IMMEDIATE 1.5E1;*idn?||error -113|reply 1|error -113|reply 99
:OUTPUT?||reply 6
VOLT:slew:mode;output:state Off||error -113|output 0
SLEW;IMM 5;*idn?||error -113|error -113|reply 99
SYST:PAIR 4,5,6 ; SLEW? ; SYSTEM:PAIR? ; :DIAGNOSTICX:valve2?||error -108|error -113|error -113|error -113
SYSTEM:NOTH? ; :SYST:NOTHING? ; sense1:VOLT:SLEW||error -113|error -113|error -113
*IDN;VALV2;:DIAG:VALV2||error -113|error -113|error -113
SENSE1:VOLT:SLEW;foo?;SENS1:SLEW;:sense1:SLEW?||error -113|error -113|error -113|reply 5
:system:foo 5 ; :SYST:FOO 5||error -113|error -113
*ESE? ; :sense? ; SLEW?||reply 0|reply 4|error -113
*ESE 4;*ESE #H10;SLEW||error -113
*ESE? ; :DIAGNOSTIC:VALV2? ; *ESE 4||reply 0|reply 2
SOUR:slew;:SYSTEM:NAME 'it''s';NOTH||error -109|name it's|nothing
:OUTPUT Off ; *IDN ; *idn||output 0|error -113|error -113
:SYST:NOTHING;STAT;pair 1, 2||nothing|error -113|error -113
:SOUR:voltage:slew?||reply 2
*ESE 4;:SOUR1:immediate:AMPL ON;:SYST:PAIR;DIAG:VALVE2?||error -224|error -109|error -113
:SENS1:SLEW;voltage:SLEW;:SYST:NAME?;:SYST:NAME||error -113|error -113|error -113|error -109
:SENS1:VOLTAGE:slew?;*IDN;:SYST:NAME?;NOTHING?||reply 5|error -113|error -113|error -113
:SYST:NAME "x,y" ; VOLT||name x,y|error -113
:SOURCE:VOLT:SLEW ; :SYST:NOTHING 1 ; :OUTPUTX 2||error -109|error -108|error -113
AMPL?;:source1:SLEW:modeX FAST;:SYST:PAIR?;SENSE||error -113|error -113|error -113|error -113
:SOURCE1:SLEW:mode?;FOO 5;VALV2X?;output||reply 3|error -113|error -113|error -113
:SENS1:VOLT:SLEW||error -113
NOTHING ; :SOUR1 ON ; :SOURCE1:SLEW:MODE MAXIMUM||error -113|error -224|mode 1
NAME 'a;b'||error -113
SOURCE:SLEW? ; :SOUR:SLEW 5 V||reply 2|error -138
VOLT:slew?;:SYST:pair?;:SYST:PAIR?||error -113|error -113|error -113
:SOURCE1:LEVEL:AMPLITUDE 1,2;:system:PAIR 4,5,6;:system:NAME?||error -108|error -108|error -113
FOO? ; SOUR:SLEW? ; :OUTPUT:STAT? ; SENSE:VOLT?||error -113|reply 2|reply 6|error -113
:system:NOTHING? ; :SENSE1:SLEW? ; *ESE? ; :SYSTEM:FOO?||error -113|reply 5|reply 0|error -113
*ESE?;:SENS:VOLT?||reply 0|reply 4
:source1:SLEW:mode off ; :SYSTEM:name? ; *IDN||mode 2|error -113|error -113
:SOUR1:SLEW:MODE?;slew:MODE FAST;voltage?||reply 3|error -113|error -113
VOLT:SLEW;VALVE2||error -113|error -113
:OUTPUT:STATE ON;SENS?;VOLTAGE:SLEW||output 1|error -113|error -113
*IDN ; :SYST:NOTH? ; OUTPUT? ; *ese 4||error -113|error -113|reply 6
:SOUR:VOLT:SLEWX?;:OUTP Off||error -113|output 0
:system:pair?||error -113
:sense1:SLEW?;:SENSE:VOLT;:SOUR1:VOLTAGE:slew:MODE?;:SYST:PAIR?||reply 5|error -113|reply 3|error -113
:SENS ; *IDN||error -113|error -113
FOO 5;DIAGNOSTIC:valve2?||error -113|reply 2
:system:NOTH? ; SYST:FOO ; SLEW? ; *IDN||error -113|error -113|error -113|error -113
:system:name? ; pair 4,5,6 ; *ese?||error -113|error -113|reply 0
slew;*ESE?;:OUTPUT?||error -113|reply 0|reply 6
*ESE?;:DIAGNOSTIC:VALVE2;SOURCE1:slew:MODEX LIN;VALV2||reply 0|error -113|error -113|error -113
*ESE 4 ; :SOUR1:SLEW:MODE? ; SOUR1:SLEW:MODE? ; :SYST:FOO?||reply 3|error -113|error -113
OUTPUT ON;:SOURCE1:VOLT:LEVEL?||output 1|reply 1
SLEW:MODE MAXIMUM;:SYSTEM:FOO 5||error -113|error -113
:SOURCE:SLEW?;*IDN;NAME;PAIR?||reply 2|error -113|error -113|error -113
diagnostic:VALV2 ; :OUTPUT?||error -113|reply 6
:sense1:SLEW? ; *IDN? ; :sense?||reply 5|reply 99|reply 4
:system:PAIR? ; VOLTAGE:SLEW||error -113|error -113
:source:slew?;:SOUR1:SLEW:MODE LIN||reply 2|mode 0
:output?;STAT 2;:DIAG:VALVE2||reply 6|error -113|error -113
sense? ; :source1:VOLT:SLEW:MODE MAXIMUM ; VALV2? ; :sense?||reply 4|mode 1|error -113|reply 4
:SENS1:VOLT:slew?||reply 5
OUTP:STAT ON||output 1
*ese;:SOURCE1;pair 1,2;*ESE #H10||error -109|error -109|error -113
SYSTEM:NOTH;SYSTX:foo||nothing|error -113
:SYSTEM:PAIR?;:SOUR1:LEV:IMM?;SYSTEM:NAME 'it''s'||error -113|reply 1|error -113
SYST:foo?||error -113
*ESE;OUTP Off||error -109|output 0
:SYST:name 'it''s';:SYST:NOTH||name it's|nothing
SYST:FOO?||error -113
:SOURCE1:slew:MODE FAST;amplitude?;:SOURCE1:IMMEDIATE MAX||error -224|error -113|level MAX
:SYSTEM:nothing;:diagnostic:valve2?;:system:nothing;foo?||nothing|reply 2|nothing|error -113
:SENSE1:voltage:slew;SLEW||error -113|error -113
voltage;:SOUR1 2 KV;SOUR1?;*IDN||error -113|level 2000000000|reply 1|error -113
*ESE ; *ESE? ; :SENS1:SLEW||error -109|reply 0|error -113
SOURCE:SLEW 7 ; SOUR:SLEW? ; output:STATE ON ; :SOUR:slew 7||slew 7|error -113|error -113|slew 7
slew;*ESE 4||error -113
:SYST:pair ; level MAX ; :system:FOO?||error -109|error -113|error -113
:SYST:NOTHING 1;:SENS||error -108|error -113
:sense1:voltage:SLEW||error -113
source:VOLT:SLEW? ; :source1:SLEW:MODE LIN ; *idn?||reply 2|mode 0|reply 99
SLEW ; VOLT:SLEW? ; SYSTEM:NOTH?||error -113|error -113|error -113
:OUTP ON;:source1:voltage:SLEW:mode LIN;:DIAG:VALV2;sense||output 1|mode 0|error -113|error -113
:SYST:name "x,y";:SOUR1:VOLT:slew:MODE FAST;sense1:SLEW?;OUTPUT?||name x,y|error -224|error -113|error -113
SENS;NOTH||error -113|error -113
:source:SLEW ; OUTPUT 0 ; VOLT:SLEW:MODE off ; :sense1:voltage:SLEW||error -109|error -113|mode 2|error -113
SENSE:VOLT?||reply 4
:system:PAIR?;:SYSTEM:PAIR 1, 2;:source1:VOLT:LEV:IMMEDIATE MAX;:SYSTEM:nothing?||error -113|pair 1 2|level MAX|error -113
:SENS:VOLTAGE?;nothing?;*idn||reply 4|error -113|error -113
FOO?;:output:STAT?;FOO||error -113|reply 6|error -113
IMM 1,2 ; SENS1:SLEW||error -113|error -113
:source1:LEV? ; NAME||reply 1|error -113
slew 5 V ; name 'a;b' ; :SOUR1:SLEW:mode FAST||error -113|error -113|error -224
SYST:PAIR 4,5,6;SYST:PAIR?;:system:FOO;SYST:NAME 'it''s'||error -108|error -113|error -113|error -113
DIAGNOSTIC:VALV2?||reply 2
SLEW?;DIAG:VALVE2?;:SOURCE1:VOLT:IMM:AMPLITUDE?;OUTP?||error -113|reply 2|reply 1|error -113
:sense? ; VOLT:slew 5 V||reply 4|error -113
:SENS1:SLEW?;LEV?;*IDN;:SOUR:SLEW?||reply 5|error -113|error -113|reply 2
MODE?;SYSTEM:FOO?;:SYST:pair?||error -113|error -113|error -113
:system:nothing;NAME?;source:voltage:SLEW?||nothing|error -113|error -113
:SENS1:SLEW ; :SENS:VOLTAGE||error -113|error -113
VOLT? ; :SOURCE1:slew:MODE||error -113|error -109
:source1:VOLTAGE:SLEW:MODE MAXIMUM;SOURCE1:IMMEDIATE:AMPLITUDE||mode 1|error -113
OUTP:state?;*ESE 4;slew?;NOTHINGX||reply 6|error -113|error -113
*IDN;:DIAG:VALVE2||error -113|error -113
:SOUR1:SLEW:mode off;:SYST:FOO?;SOUR1:IMM ON;:system:PAIR?||mode 2|error -113|error -113|error -113
SYST:nothing ; :SOUR1:SLEW:MODE? ; :output 0||nothing|reply 3|output 0
:source:voltage:slew 5 ; :SOUR:SLEW?||slew 5|reply 2
DIAGNOSTIC:valve2?;SLEW 7;:system:PAIR?;VALV2?||reply 2|error -113|error -113|error -113
IMM:AMPLITUDE? ; *ESE? ; :DIAG:VALVE2||error -113|reply 0|error -113
SYST:NAME?;PAIR 1,2;:DIAG:VALVE2||error -113|error -113|error -113
SENS:VOLTAGE?;SLEW:mode?;*ESE 4||reply 4|error -113
:SENSE;:output Off;:OUTP 0;mode LIN||error -113|output 0|output 0|error -113
NOTHING 1;SYST:PAIR 3;DIAGNOSTIC:VALVE2?||error -113|error -109|error -113
SOUR:SLEW?||reply 2
SYST:NAME "x,y" ; :SYST:FOO 5||name x,y|error -113
:diagnostic:VALV2;NAME?||error -113|error -113
OUTPUT 2;system:nothing?||output 1|error -113
:SOURCE1:VOLT:LEV 1.5E1||level 15000000
:OUTPUT 0;*idn?;:SYSTEM:FOO 5;SENS?||output 0|reply 99|error -113|reply 4
:SOUR1:AMPL #||error -101
:SYST:NAME "x,y";VOLTAGE||name x,y|error -113
*idn?;FOO||reply 99|error -113
NOTH?;SOUR:SLEW 5;*ESE?;NAME 'it''s'||error -113|slew 5|reply 0|error -113
:DIAGNOSTIC:VALV2;DIAG:valve2?;:SOUR1:slew:MODE?;SYST:nothing||error -113|reply 2|reply 3|error -113
:SYST:NOTH?;:SYST:PAIR?;:OUTP:STAT?||error -113|error -113|reply 6
LEVEL:IMM?||error -113
:sense1:VOLT:SLEW ; *ese 4 ; OUTP?||error -113|reply 6
:SENS1:VOLT:slew;slew?;:DIAG:VALVE2||error -113|error -113|error -113
diagnostic:valve2 ; VALV2||error -113|error -113
:SOUR1:amplitude?;:SOUR1:SLEW:MODE?;:SENS:VOLT||reply 1|reply 3|error -113
:SOUR1:AMPLITUDE MAX;:system:NOTHING?||level MAX|error -113
NOTHING;*ESE #H10;:system:NAME?||error -113|error -113
:system:NOTHING 1;VOLT:SLEW:MODE?;NOTH 1;:SENSE1:VOLT:slew||error -108|error -113|error -113|error -113
system:foo ; *IDN? ; VOLTAGE:slew ; *IDN?||error -113|reply 99|error -113|reply 99
SOUR1:SLEW:MODE;*ESE?;output ON||error -109|reply 0|output 1
:SYSTEM:NOTH?;slew||error -113|error -113
NAME?;:SENS1:voltage:SLEW?;:SYSTEM:FOO?;:SYST:foo 5||error -113|reply 5|error -113|error -113
:source:VOLTAGE:SLEW 5 V ; *idn? ; SENSE:VOLTAGE? ; :SENSE1:slew?||error -138|reply 99|reply 4|reply 5
*ESE #H10 ; :system:PAIR?||error -113
SYST:FOO 5;FOO 5||error -113|error -113
*ese? ; :SENS1:VOLTAGE:slew||reply 0|error -113
:SOUR1:immediate 2 KV ; OUTPUT Off||level 2000000000|error -113
:SYST:NOTHING 1;:sense1:VOLT:slew;:SOUR1:voltage:LEV:amplitude?||error -108|error -113|reply 1
:SYST:PAIRX 4,5,6 ; SOUR:VOLT:SLEW? ; :SOURCE1X:SLEW:MODE off ; NOTH||error -113|reply 2|error -113|error -113
:SENS;SOUR1:LEV MAX;*ESE?||error -113|level MAX|reply 0
:system:NOTHING?||error -113
:SYST:foo 5||error -113
:source:VOLTAGE:SLEW?||reply 2
SYSTEM:NAME?;*ESE?;:system:NAME?;*ESE?||error -113|reply 0|error -113|reply 0
:SYSTEM:NOTHING 1;OUTP:STAT 2;mode?;:DIAG:VALV2||error -108|error -113|error -113|error -113
*IDN;FOO||error -113|error -113
:SYSTEM:NAME ; NAME 'it''s'||error -109|name it's
:SOUR1:IMMEDIATE?||reply 1
:SYSTEM:NOTH 1 ; system:PAIR 1,2 ; SOURCE1:VOLTAGE:slew:MODEX?||error -108|error -113|error -113
VOLT:slew ; :SENSE1:SLEW? ; :system:nothing? ; MODE LIN||error -113|reply 5|error -113|error -113
*ESE?;:SYST:name;NOTH 1||reply 0|error -109|error -108
SOUR1:SLEW:MODE?;*IDN;:SENS1:VOLTAGE:SLEW||reply 3|error -113|error -113
:SYSTEM:PAIR 1, 2||pair 1 2
OUTPX:state ; :SOUR1:SLEW:MODE? ; OUTP 0 ; system:NAME 'a;b'||error -113|reply 3|error -113|error -113
:DIAG:valve2;:DIAGNOSTIC:VALVE2;diagnostic:valve2;:SENS1:slew?||error -113|error -113|error -113|reply 5
:source1:LEV:AMPL?;:source1:VOLT:SLEW:MODE off;:DIAG:VALV2?;system:FOO 5||reply 1|mode 2|reply 2|error -113
:sense ; :OUTP? ; :SOURCE1:SLEW:MODEX?||error -113|reply 6|error -113
:SYST:name?;SENS||error -113|error -113
diagnostic:VALV2?;PAIR?;SYST:PAIR 4,5,6;:source1:slew:MODE||reply 2|error -113|error -108|error -109
:source1:VOLT:SLEW:mode?||reply 3
:system:PAIR 4,5,6;:SYST:NOTH?||error -108|error -113
SYSTEM:NAME? ; :SOUR1:IMM? ; *ESE||error -113|reply 1|error -109
SYST:name 'it''s'||name it's
*ese #H10 ; nothing||error -113
:OUTP ON ; :SYST:FOO 5 ; SLEW 5||output 1|error -113|error -113
:SYST:FOO? ; :SYST:NAME? ; :diagnostic:VALVE2 ; :SOUR1:voltage:SLEW:MODE?||error -113|error -113|error -113|reply 3
:SENS:VOLT?;SENSE1:voltage:slew?;OUTP?||reply 4|error -113|error -113
*ESEX? ; :SENS1:SLEW ; :sense?||error -113|error -113|reply 4
:SYST:NAME?;:SOUR:SLEW 7;:DIAG:VALVE2?||error -113|slew 7|reply 2
:source1:LEV 5||level 5000000
*ESE #H10 ; *IDN? ; SOURCE1:AMPL #||reply 99|error -101
*ESE 4;NAME 'a;b';:SYSTEM:PAIR?;*IDN?||error -113|error -113|reply 99
SYST:FOO 5||error -113
VOLT:SLEW 5 V||error -113
:SOURCE:VOLTAGE:SLEW 5 V ; VALV2 ; SLEW||error -138|error -113|error -113
DIAG:valve2;:SOUR1:IMMEDIATE 1,2||error -113|error -108
*IDN? ; :OUTP ON ; FOO 5||reply 99|output 1|error -113
pair?||error -113
PAIR? ; slew ; :SYST:PAIR 3||error -113|error -113|error -109
:SOUR1:VOLT:immediate 2 KV ; :SOUR:slew? ; slew?||level 2000000000|reply 2|reply 2
VOLT ; system:NAME "x,y" ; :system:PAIR 1, 2||error -113|name x,y|pair 1 2
*ESE;:SENS:voltage||error -109|error -113
*idn;:SYSTX:NOTH;:SYST:nothing 1||error -113|error -113|error -108
MODE? ; :SOUR1?||error -113|reply 1
MODE?;:sense||error -113|error -113
*ese?;:OUTP;*idn?;SOURCE1:SLEW:MODE||reply 0|error -109|reply 99|error -109
*IDN;:SYSTEM:nothing 1;name?||error -113|error -108|error -113
SENS;:SYST:nothing?;VOLT?;*IDN||error -113|error -113|error -113|error -113
:SYSTEM:foo 5 ; :system:NOTHING 1 ; SLEW? ; *idn?||error -113|error -108|error -113|reply 99
:output?;SENS;MODE FAST;MODE||reply 6|error -113|error -113|error -113
source:SLEW? ; :system:FOO? ; *ese 4||reply 2|error -113
:SENS?;:system:foo?||reply 4|error -113
:SYST:PAIR;:SYST:PAIR 1, 2;:SOUR:SLEW?;*IDN||error -109|pair 1 2|reply 2|error -113
SLEW:mode MAXIMUM;*ESE;:SYST:name 'a;b';NOTH||error -113|error -109|name a;b|nothing
*IDN ; SYSTEM:FOO?||error -113|error -113
SYST:PAIR||error -109
SYST:FOO? ; NOTHING 1 ; immediate:AMPL?||error -113|error -113|error -113
:SYST:nothing?||error -113
FOO 5||error -113
:SENSE;:SENS:VOLT;:OUTP ON;:SYSTEM:FOO?||error -113|error -113|output 1|error -113
:SYSTEM:FOO?||error -113
:SENSE1:slew ; :SOURCE1:voltage:LEV MAX ; *ESE 4||error -113|level MAX
PAIR?||error -113
SENS;SYST:nameX "x,y"||error -113|error -113
:OUTP ON ; *ESE? ; :diagnostic:VALV2?||output 1|reply 0|reply 2
:SOURCE1:voltage:SLEW:MODE ; :SYST:PAIR?||error -109|error -113
:SYSTEM:NOTHING?||error -113
:SYST:PAIR 1, 2;*IDN;system:NAME?||pair 1 2|error -113|error -113
OUTP:STAT Off ; SLEW? ; :SOUR:VOLT:SLEW 5 V ; system:NOTHING||output 0|error -113|error -138|error -113
:SENS1:VOLTAGEX:SLEW?;SYST:NAME 'a;b';PAIR?;STATE Off||error -113|name a;b|error -113|error -113
valve2?;:SYSTEM:nothing||error -113|nothing
PAIR 3 ; :SENSE1:VOLTAGE:slew||error -113|error -113
*ese?;:source1:VOLT:AMPL?;*ESE?||reply 0|reply 1|reply 0
DIAG:VALV2;:SENSE1:VOLT:SLEW;sense:VOLTAGE?;:SENS?||error -113|error -113|reply 4|reply 4
FOO;:OUTP:STATE?;:SOURCE1:SLEW:MODE?;:SYST:PAIR 3||error -113|reply 6|reply 3|error -109
:SYSTEM:pair?;system:NOTH||error -113|nothing
foo?;:output:STAT 2||error -113|output 1
VOLT:slew;NAME?;*IDN?;:DIAGNOSTIC:VALVE2?||error -113|error -113|reply 99|reply 2
:output:STATE? ; foo? ; SOURCE:VOLTAGEX:SLEW 5 V||reply 6|error -113|error -113
:source1:VOLT:SLEW:mode off;PAIR?||mode 2|error -113
*ESE?;:SOURCE:voltage:SLEW;name?;system:NAME 'it''s'||reply 0|error -109|error -113|error -113
*ESE;system:NAME?;slew?||error -109|error -113|error -113
VALVE2?;AMPLITUDE?;*idn?;*IDN||error -113|error -113|reply 99|error -113
VOLTAGE:AMPL?;:SYST:nothing 1;:SOUR1:VOLT:LEVEL:IMM?;:SENS:VOLT||error -113|error -108|reply 1|error -113
:SYSTEM:name?||error -113
:SOURCE1:slew:mode LIN ; foo? ; *IDN?||mode 0|error -113|reply 99
:SOUR1:slew:MODE FAST;:SYST:NOTH?||error -224|error -113
sense:VOLT;:SYST:NAME "x,y";:SOURCE:SLEW?||error -113|name x,y|reply 2
diagnostic:VALV2;voltage:IMMEDIATE #||error -113|error -101
:SENS1:SLEW ; PAIR? ; *idn||error -113|error -113|error -113
VALV2?;:SYST:NOTHING?;*ese 4;pair||error -113|error -113|error -113
:SOURCE1:VOLT:immediate 5||level 5000000
:SENSE ; :source1:VOLTX? ; SLEW? ; :SYSTEM:NAME "x,y"||error -113|error -113|error -113|name x,y
*ESE;:SOUR:SLEW 5 V;*IDN?;:SYST:NAME "x,y"||error -109|error -138|reply 99|name x,y
state Off;:SYST:PAIR?;SLEW:mode LIN||error -113|error -113|error -113
system:pair?||error -113
OUTP?;:SENSE||reply 6|error -113
:SENS1:SLEW;*idn;PAIR 4,5,6;AMPL 2 KV||error -113|error -113|error -113|error -113
:SOUR1:SLEW:MODE? ; MODE? ; SENSE||reply 3|reply 3|error -113
:SYSTEM:FOO?;:SENSE1:VOLT:SLEW?||error -113|reply 5
SENS1:slew?||reply 5
*ese?;SYSTEM:pair?||reply 0|error -113
:system:NAME "x,y";:SYST:NOTHING;:SOUR:VOLTAGE:SLEW?;SOURCE1:level 5||name x,y|nothing|reply 2|error -113
:SYSTEM:foo?;SOUR:VOLT:slew 7;SLEW 5;:SOUR1:IMMX:AMPL MAX||error -113|slew 7|slew 5|error -113
:SENS:VOLT? ; *IDN ; :SYSTEM:NOTH 1||reply 4|error -113|error -108
SOUR1X 1.5E1||error -113
SLEW:mode? ; :diagnostic:VALVE2 ; name 'a;b'||error -113|error -113|error -113
:SYST:pair 1, 2;:system:PAIR 1,2;pair||pair 1 2|pair 1 2|error -109
:system:pair? ; *ESE?||error -113|reply 0
source1:LEV:AMPL?||reply 1
*ESE?;:system:PAIR?||reply 0|error -113
system:FOO||error -113
SYSTEM:NAME||error -109
SENSE:VOLT||error -113
:SOUR1?;source1:slew:MODE FAST||reply 1|error -224
:source:SLEW||error -109
SENS1:slew? ; SOURCE:slew?||reply 5|error -113
slew;SOURCE1:SLEW:mode MAXIMUM||error -113|mode 1
:SYST:PAIR?;:OUTP:STAT 0;:OUTP?;:SYSTEM:FOO?||error -113|output 0|reply 6|error -113
:diagnostic:VALV2? ; *ESE?||reply 2|reply 0
sense?;*idn||reply 4|error -113
:SYSTEM:foo 5;valve2||error -113|error -113
*ESE;IMM 1,2||error -109|error -113
NAME? ; VOLTAGE:SLEW?||error -113|error -113
:SENS1X:SLEW?;:SYST:name;source:VOLT:SLEW 5;:SYST:nothing 1||error -113|error -109|error -113|error -108
*ese? ; SYST:NAME 'it''s' ; *IDN ; :SYSTEM:FOO 5||reply 0|name it's|error -113|error -113
:SOURCE1:SLEW:MODE? ; SENSE1:VOLT:SLEW ; :SENS1:SLEW? ; :SYST:FOO?||reply 3|error -113|reply 5|error -113
:SENS1:slew?;*ESE 4||reply 5
:DIAG:VALV2?;SYST:NOTHING 1;*ESE?;:OUTP:STAT||reply 2|error -113|reply 0|error -109
:SYSTEM:nothing?;:SOUR1:VOLT:SLEW:MODE?;amplitude 1,2;VOLT:SLEW?||error -113|reply 3|error -113|error -113
:sense1:VOLTAGE:SLEW?||reply 5
*IDN;:SOURCE1:LEVEL:immediate 1,2;:DIAGNOSTIC:VALV2?;*ESE 4||error -113|error -108|reply 2
MODE FAST;FOO;FOO?;*ESE||error -113|error -113|error -113|error -109
:source:SLEW?;:system:PAIR?;:SYSTEM:name?;:system:NAME "x,y"||reply 2|error -113|error -113|name x,y
:SOUR1:voltage:SLEW:mode MAXIMUM;*ese?||mode 1|reply 0
:SOURCE1:AMPL 5 ; SYSTX:NAME? ; :DIAG:VALV2||level 5000000|error -113|error -113
:SOURCE1X:VOLT?||error -113
:SYSTEM:FOO 5 ; :SOURCE:voltage:slew 5 V||error -113|error -138
SOUR1:SLEW:MODE?||reply 3
:SYST:NOTH ; STAT Off ; :SYST:PAIR? ; :SENS||nothing|error -113|error -113|error -113
SLEW? ; MODE off||error -113|error -113
diagnostic:VALV2;*ESE;*idn||error -113|error -109|error -113
*ESE;SENSE?;:source1 5||error -109|reply 4|level 5000000
:SYSTEM:NAME "x,y";FOO?||name x,y|error -113
SENS:voltage;:SYST:foo?;:SYSTEM:nothing 1||error -113|error -113|error -108
VALV2 ; *ESE #H10||error -113
SENS? ; *ESE? ; :SOUR1:voltage:AMPLITUDE?||reply 4|reply 0|reply 1
sense;:SYSTEM:PAIR;:SOUR:VOLTAGE:SLEW 7||error -113|error -109|slew 7
:DIAGNOSTIC:VALV2;VALV2;SOURCE:SLEW 5;SOUR1 2 KV||error -113|error -113|slew 5|error -113
VOLT:IMM:amplitude? ; SOURCE:SLEW? ; sense1:VOLT:SLEWX ; :diagnostic:VALVE2||error -113|reply 2|error -113|error -113
:SYST:NAME?;*IDN;*ese||error -113|error -113|error -109
:SYSTEMX:NOTH?;SYSTEM:FOO 5||error -113|error -113
:SENSX?||error -113
:SENS?;*ESE?;:SYST:nothing?||reply 4|reply 0|error -113
:SYST:FOO?;DIAG:VALV2;:OUTP?||error -113|error -113|reply 6
:system:FOO?;*ESE?;:source1:SLEW:MODEX?||error -113|reply 0|error -113
sense1:slew ; SLEW||error -113|error -113
source1:SLEW:MODE? ; NOTH?||reply 3|error -113
:system:NOTH?;SOUR:slew 7;SLEW:mode?;:sense:VOLT||error -113|slew 7|reply 3|error -113
:SENS?;SYST:NOTH?;output:STAT 0;*IDN||reply 4|error -113|output 0|error -113
:source1:VOLT:SLEW:MODE off ; *idn ; :SYSTEM:NOTHING?||mode 2|error -113|error -113
:source1:LEVEL 2 KV;*idn?;:OUTPUT 2;VALV2||level 2000000000|reply 99|output 1|error -113
SOUR:SLEW?;*IDNX||reply 2|error -113
:SYSTEM:NAME?;:source1:VOLT:SLEW:MODE?||error -113|reply 3
state? ; :OUTPUT ON ; *ESE? ; SOUR1 1,2||error -113|output 1|reply 0|error -108
VALV2?;:SOUR1:VOLT:LEV 5;:SENSE?;*ese #H10||error -113|level 5000000|reply 4
SENS:VOLTAGE;VOLT:IMM 1.5E1;SYSTEM:PAIR;:SYST:PAIR||error -113|error -113|error -109|error -109
:sense1:voltage:SLEW?||reply 5
:SENS1:VOLTAGE:SLEW;:SOUR1:LEV?;:SOUR1:LEVEL:amplitude?||error -113|reply 1|reply 1
SYST:name?;voltage:SLEW:mode FAST;:system:NOTH?||error -113|error -113|error -113
:source:slew? ; :OUTP? ; :SOUR:SLEW 7||reply 2|reply 6|slew 7
:SYST:NAME?;:SENS1:VOLTAGE:SLEW;:system:FOO?;immediate:AMPL MAX||error -113|error -113|error -113|error -113
:SOUR1:IMM 1,2;*ese 4;:OUTPUT:STATE?;:OUTP?||error -108|reply 6|reply 6
:SOUR1:VOLTAGE:AMPL MAX;SLEW:mode?||level MAX|reply 3
*idn?;*IDNX;:source:VOLT:slewX?||reply 99|error -113|error -113
FOO 5;:SYSTEM:name?;SYST:NAME?||error -113|error -113|error -113
SYSTEM:FOO?;SLEW?||error -113|error -113
:sense;*IDN?;:SYST:PAIR 3||error -113|reply 99|error -109
PAIR?;:DIAG:valve2;:SOUR1:immediate:AMPLITUDE?||error -113|error -113|reply 1
SOURCE1:VOLTAGE:IMM:amplitude?;:SOUR1:IMM:AMPL 2 KV;*IDN||reply 1|level 2000000000|error -113
:SOUR:VOLT:SLEW 5 V ; *ESE?||error -138|reply 0
:SOURCE:SLEW ; :SYSTEM:NAME 'a;b' ; MODE?||error -109|name a;b|error -113
VOLT:SLEW 7||error -113
:SOUR1:SLEW:MODE?;:system:nothing?||reply 3|error -113
:DIAG:VALV2;OUTP ON;:sense||error -113|output 1|error -113
OUTP?;*ese 4||reply 6
:source1:VOLT:SLEW:MODE off ; *IDN?||mode 2|reply 99
:source1:SLEW:MODE off;:SYST:nothing?;:SYSTEM:FOO?;*ESE #H10||mode 2|error -113|error -113
:DIAG:VALVE2?||reply 2
:OUTP:state 2;:DIAG:VALVE2?||output 1|reply 2
*ESE?;:SYST:FOO;:OUTPUT:STAT?||reply 0|error -113|reply 6
:SYST:NAME? ; :SOUR1 2 KV ; :OUTP:state 2 ; :diagnostic:VALV2||error -113|level 2000000000|output 1|error -113
SENS;source1:voltage:LEVX?;:SYST:FOO 5;:system:NAME 'it''s'||error -113|error -113|error -113|name it's
:system:NAME "x,y" ; :system:FOO?||name x,y|error -113
:DIAG:VALV2? ; VALVE2 ; FOO ; *IDN?||reply 2|error -113|error -113|reply 99
SOUR:SLEW 5 V||error -138
*IDN? ; :diagnostic:VALVE2?||reply 99|reply 2
:SOUR1:LEV:immediate:AMPLITUDE 1.5E1;:OUTP 2||level 15000000|output 1
:DIAG:VALV2;:SYST:PAIR 3;:SENS1:SLEW?;SLEW?||error -113|error -109|reply 5|reply 5
:SENSE:voltage||error -113
SOURCE:SLEW 5;*ese;SLEW;SYSTEM:NOTH||slew 5|error -109|error -113|nothing
:SENSE1:slew||error -113
:SENS1:voltage:SLEW?||reply 5
:system:foo? ; source:SLEW 5||error -113|slew 5
*IDN?;:system:NAME?;system:FOO||reply 99|error -113|error -113
SENS1:VOLT:SLEW;*ESE?;nothing?;:SENS1:slew?||error -113|reply 0|error -113|reply 5
:SENS ; :SOUR1:IMM 2 KV ; OUTPX:state?||error -113|level 2000000000|error -113
:SENSE:VOLTAGE||error -113
*ESE?;:SYST:name?;:SYST:NOTH?||reply 0|error -113|error -113
DIAGNOSTIC:valve2||error -113
:system:NAME "x,y";sense1:VOLT:slew;:SYST:foo?||name x,y|error -113|error -113
:SOUR:SLEW? ; :SYST:NOTHING?||reply 2|error -113
:sense?;NAME?||reply 4|error -113
:SOURCE1:SLEWX:MODE MAXIMUM;NAME 'a;b'||error -113|error -113
:system:pair 4,5,6 ; :SOURCE1? ; :SOURCE:SLEW? ; :SOURCE1:voltage ON||error -108|reply 1|reply 2|error -224
:SYSTEM:PAIR?;DIAG:VALVE2?||error -113|reply 2
SOUR:voltage:slew 7;AMPL;:SENSE:VOLT;:SYST:FOO?||slew 7|error -109|error -113|error -113
NOTH;*ese?;*IDN;OUTPUT ON||error -113|reply 0|error -113|output 1
NOTH 1||error -113
:SENS1:SLEW? ; OUTP?||reply 5|error -113
*idn?;:SOURCE1:VOLT:IMM:amplitude ON||reply 99|error -224
SENS ; :output?||error -113|reply 6
*IDN?;MODE MAXIMUM;:SOUR1:VOLT:SLEW:mode?;:system:fooX?||reply 99|error -113|reply 3|error -113
PAIR 1, 2||error -113
SOUR1:slew:MODE off;:SOURCE:SLEW 7;:source1:VOLT:SLEW:mode?||mode 2|slew 7|reply 3
*idn? ; :DIAG:VALV2?||reply 99|reply 2
:SOUR1:slew:MODE;:DIAGNOSTIC:VALV2;*idn?||error -109|error -113|reply 99
pair;:system:nothing;:SYST:PAIR 3||error -113|nothing|error -109
:SYSTEM:PAIR 1, 2;*ESE?;:SENSE||pair 1 2|reply 0|error -113
:SYST:FOOX ; :DIAGNOSTIC:VALV2 ; pair 1, 2 ; :SYST:NOTHING?||error -113|error -113|error -113|error -113
SYSTEM:foo;SLEW?;SOUR1?;:system:PAIR?||error -113|error -113|reply 1|error -113
:SENSE1:SLEW? ; SLEW 5 V||reply 5|error -113
:SENSE1:VOLTAGE:slew;:diagnostic:VALVE2?||error -113|reply 2
:SOUR:VOLT:SLEW?;VOLT?;:systemX:NOTHING;:system:NAME?||reply 2|error -113|error -113|error -113
SLEW? ; :source1:IMM MAX ; PAIR 4,5,6 ; SLEW?||error -113|level MAX|error -113|error -113
:SYST:NOTHING 1;:SYST:nothing?;:SOUR1:VOLT?;SLEW||error -108|error -113|reply 1|error -109
SLEW?;FOO 5;*IDN||error -113|error -113|error -113
:SENS?;:sense:VOLTAGE?;:system:NAME?||reply 4|reply 4|error -113
SYST:nothing 1 ; *IDN ; *ESE? ; :source:slew?||error -108|error -113|reply 0|reply 2
:diagnostic:VALVE2 ; :SOUR1:LEV # ; SENS? ; source:VOLT:SLEW?||error -113|error -101|reply 4|reply 2
:OUTPUT:STATE?;:SYSTX:name?;SYST:NOTH?||reply 6|error -113|error -113
SOUR1:SLEW:modeX FAST;name?;PAIR?;:SOUR1:VOLTAGE:SLEW:MODE off||error -113|error -113|error -113|mode 2
:SENS1:VOLTAGE:SLEW ; *IDN? ; :SYST:NAME? ; :SYSTEM:name "x,y"||error -113|reply 99|error -113|name x,y
SLEW;:OUTPUT;SENS1:SLEW||error -113|error -109|error -113
DIAGNOSTIC:VALV2? ; *ese?||reply 2|reply 0
slew?;*ESE #H10||error -113
*ESE #H10;*IDN;*ESE;:SYSTX:NOTH 1||error -113|error -109|error -113
*ese? ; SYSTEMX:NOTH 1||reply 0|error -113
*IDN?;*ese;:SOURCE1:SLEW:MODE LIN;:SOUR:SLEW?||reply 99|error -109|mode 0|reply 2
:SENS1:slew?;name "x,y";:OUTPUT Off;:SYST:FOO?||reply 5|error -113|output 0|error -113
:SOUR1:VOLTAGE:LEV?||reply 1
:system:FOO 5;:SOURCE:SLEW?;SLEW;system:FOO||error -113|reply 2|error -109|error -113
:source:VOLT:slew;:SENSE1:SLEW;SYST:NAME 'a;b'||error -109|error -113|error -113
SYST:nothing?;system:FOO?;:system:foo 5;SOURCE:SLEW 5||error -113|error -113|error -113|slew 5
:SOUR1:AMPL 5||level 5000000
:source1:SLEW:MODE?;name?;*IDN||reply 3|error -113|error -113
SOUR1:VOLT:level:IMM 1.5E1 ; :SYST:PAIR?||level 15000000|error -113
PAIR? ; *ESE #H10||error -113
SYSTEM:NAME?;:SENS1:VOLT:SLEW?;SOUR1:LEVEL 2 KV;:OUTPUT?||error -113|reply 5|error -113|reply 6
PAIR 1, 2 ; :SYST:PAIR?||error -113|error -113
SOURCE1:SLEW:MODE?;*ESE?;:OUTP?;VALVE2?||reply 3|reply 0|reply 6|error -113
:SENS?;:SENS1:SLEW?;sense1:slew||reply 4|reply 5|error -113
:OUTP:STATE 0;pair 1,2||output 0|error -113
*ESE?;:SOUR:VOLT:SLEW 5 V;:SENS;:system:PAIR 4,5,6||reply 0|error -138|error -113|error -108
:SYSTEM:NAME "x,y" ; SLEW:MODE? ; SOURCE:SLEW 5 ; :SENS1:VOLTAGE:slew?||name x,y|error -113|error -113|reply 5
AMPLITUDE # ; NOTH ; :SYST:FOO?||error -101|error -113|error -113
:SYST:FOO 5 ; :output:STATE? ; :SENS?||error -113|reply 6|reply 4
*ESE #H10;*ESE;SLEW?||error -109|error -113
:SENS:voltage?||reply 4
MODE?;DIAG:VALV2?;SENSE||error -113|reply 2|error -113
:system:nothing 1;SOUR1:SLEW:MODE?;*ese?||error -108|error -113|reply 0
:system:FOO;:source:slew;:SYST:NOTH?||error -113|error -109|error -113
:DIAG:valve2 ; :SYST:pair?||error -113|error -113
output;SOUR:SLEW 5;SENS||error -109|slew 5|error -113
VOLT #;:DIAG:valve2;:SYST:FOO 5||error -101|error -113|error -113
foo 5;SYST:PAIR 3||error -113|error -109
*IDN?;SLEW?||reply 99|error -113
:system:foo? ; SENS?||error -113|reply 4
:system:FOO?;DIAGNOSTIC:VALV2?;DIAG:VALV2?;AMPL 1.5E1||error -113|reply 2|error -113|error -113
:output;:SENS1:slew||error -109|error -113
SYSTEM:foo;:DIAG:VALV2?||error -113|reply 2
NAME?;source1?||error -113|reply 1
:SENSE?;:SYST:FOO;:SOUR1:voltage:slew:MODE?;:sense||reply 4|error -113|reply 3|error -113
voltage:LEVEL ; :OUTP:STATE?||error -113|reply 6
:SYST:NAME;SYSTEM:FOO?;system:NOTH;:SOUR:VOLT:slew?||error -109|error -113|error -113|reply 2
:SOUR1:LEVEL?;:SENS1:SLEW||reply 1|error -113
voltage ; source1:voltage:AMPLITUDE? ; :SYSTEM:foo? ; NOTH||error -113|reply 1|error -113|error -113
SYSTEM:NOTH;NOTH?;SLEW?||nothing|error -113|error -113
'''
