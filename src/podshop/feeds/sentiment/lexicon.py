"""Words that mean something in crypto news, on VADER's scale from -4 (worst) to +4 (best).

VADER was made for social media: by itself it calls "SEC sues exchange" good news, reads nothing in "plunges", and finds
"trust", "shares" and "interest" friendly in names of products. The terms below were chosen by reading what such
headlines say about the price of the coin, before any of them was held against a price.
"""

WORDS: dict[float, str] = {
    3.0: "skyrocket skyrockets skyrocketed skyrocketing mooning parabolic all_time_high all_time_highs record_high",
    2.5: """
        soar soars soared soaring surge surges surged surging bullish breakout breakouts outperform outperforms
        outperformed short_squeeze doubles doubled triples tripled etf_approval ath
    """,
    2.0: """
        rally rallies rallied rallying jump jumps jumped jumping rebound rebounds rebounded rebounding recovers recovery
        recovered bulls bull uptrend inflow inflows accumulate accumulates accumulated accumulation approve approves
        approved approval adoption adopts adopted spike spikes spiked pump pumps higher_high golden_cross
        institutional_demand legal_tender acquitted dismisses_case
    """,
    1.5: """
        gain gains gained rise rises rose rising climb climbs climbed climbing higher highs upgrade upgrades upgraded
        upgrading bounce bounces bounced bouncing reclaim reclaims reclaimed outflow_from_exchanges partnership partners
        partnered integrates integration integrated mainnet halving halvening oversold hodl hodlers whitelisted relisted
        buyback buybacks buying bought buys bottomed settles settlement demand listing lists listed
    """,
    1.0: """
        green up above launch launches launched unveils unveiled raises raised expands expansion expanded joins
        milestone airdrop airdrops staking invests investment funding funded accelerates accelerate scaling nears eyes
        merge backs backed whale_buys undervalued stabilizes stabilises license licence licensed etf etfs
    """,
    0.0: """
        trust shares share interest interests treasury treasuries security securities united play reserve reserves fan
        fans like important help alert gas stake value number active strategic intelligence bored ape apes shiba inu
        honest save cash bitcoin_cash interest_rate interest_rates trust_wallet art free bonus certain special chance
        increase increases energy freedom party creator creative care gods joke jokes super hero heroes fun
    """,
    -1.0: """
        red below under_pressure caution cautious warns warning delay delays delayed postpones postponed halted
        tax taxes taxed regulation regulations uncertainty unlock unlocks overbought volatile volatility inflation
        hawkish taper tapering rate_hike rate_hikes hike hikes tightening consolidates congestion investigated
        whale_sells overvalued
    """,
    -1.5: """
        fall falls fell falling drop drops dropped dropping decline declines declined declining dip dips dipped dipping
        slip slips slipped slipping slide slides slid sliding sink sinks sank sinking lower lows sheds lose loses lost
        losing retreat retreats retreated pullback correction corrects corrected outflow outflows down downtrend
        sell sells selling sold bear bears downgrade downgrades downgraded probe probes probed subpoena subpoenas
        delist delists delisted delisting outage outages downtime layoffs lays_off resigns resigned backlash crackdown
        sanction sanctions sanctioned bans_mining reject rejects rejected rejection denies denied denial
    """,
    -2.0: """
        bearish plunge plunges plunged plunging tumble tumbles tumbled tumbling dump dumps dumped dumping selloff
        sell_off selloffs slump slumps slumped slumping nosedive nosedives nosedived dive dives dived diving liquidation
        liquidations liquidated liquidates sue sues sued suing lawsuit lawsuits charges charged indicts indicted
        indictment fine fined fines ban bans banned banning prohibits prohibited illegal freeze freezes froze frozen
        seize seizes seized suspends suspended suspend halt halts death_cross lower_low fud underwater impairment
        capitulate capitulates capitulation default defaults defaulted unregistered wash_trading laundering
        laundered money_laundering pause_withdrawals crypto_winter
    """,
    -2.5: """
        crash crashes crashed crashing collapse collapses collapsed collapsing plummet plummets plummeted plummeting
        meltdown wipeout wiped bloodbath carnage depeg depegs depegged depegging contagion insolvent insolvency
        bankrupt bankruptcy phishing exploit exploits exploited exploiter hack hacks hacked hacker hackers breach
        breached drained drains siphoned vulnerability ransomware malware stolen steals theft
    """,
    -3.0: """
        rug rugged rugpull rug_pull ponzi pyramid_scheme scam scams scammed scammer scammers fraud fraudulent frauds
        death_spiral bank_run exit_scam embezzled arrested arrests arrest jailed
    """,
}
SCORES = {word: score for score, words in WORDS.items() for word in words.split()}

# Several words that say one thing: joined before scoring, so that each is one term of the table above.
PHRASES = {word.replace("_", " "): word for word in SCORES if "_" in word} | {
    "all-time high": "all_time_high",
    "all-time highs": "all_time_highs",
    "sell-off": "sell_off",
    "rug-pull": "rug_pull",
}
