; Instructions on memory, each in the form that its text says, for the decoder's tests.
; Tests/X86Tests/make-vectors assembles this file and writes DecoderVectors.swift: the text is the expectation, nasm's
; bytes are the input. Texts are as plain as the tests' reader wants them: "mnemonic operand, operand".
bits 16
start:
    mov ecx, [bx+si]
    mov ecx, [bx+si+0x12]
    mov ecx, [bx+si-0x12]
    mov ecx, [bx+si+0x1234]
    mov ecx, [bx+di]
    mov ecx, [bx+di+0x12]
    mov ecx, [bx+di-0x12]
    mov ecx, [bx+di+0x1234]
    mov ecx, [bp+si]
    mov ecx, [bp+si+0x12]
    mov ecx, [bp+si-0x12]
    mov ecx, [bp+si+0x1234]
    mov ecx, [bp+di]
    mov ecx, [bp+di+0x12]
    mov ecx, [bp+di-0x12]
    mov ecx, [bp+di+0x1234]
    mov ecx, [si]
    mov ecx, [si+0x12]
    mov ecx, [si-0x12]
    mov ecx, [si+0x1234]
    mov ecx, [di]
    mov ecx, [di+0x12]
    mov ecx, [di-0x12]
    mov ecx, [di+0x1234]
    mov ecx, [bx]
    mov ecx, [bx+0x12]
    mov ecx, [bx-0x12]
    mov ecx, [bx+0x1234]
    mov ecx, [bp+0x12]
    mov ecx, [bp-0x80]
    mov ecx, [bp+0x1234]
    mov ecx, [0x1234]
    mov dx, [eax]
    mov dx, [eax-0x12]
    mov dx, [eax+0x12345678]
    mov dx, [eax+eax*1+0x12345]
    mov dx, [eax+ebp*2+0x7f]
    mov dx, [eax+esi*4+0x7f]
    mov dx, [eax+edi*8+0x7f]
    mov dx, [ecx]
    mov dx, [ecx-0x12]
    mov dx, [ecx+0x12345678]
    mov dx, [ecx+eax*1+0x12345]
    mov dx, [ecx+ebp*2+0x7f]
    mov dx, [ecx+esi*4+0x7f]
    mov dx, [ecx+edi*8+0x7f]
    mov dx, [edx]
    mov dx, [edx-0x12]
    mov dx, [edx+0x12345678]
    mov dx, [edx+eax*1+0x12345]
    mov dx, [edx+ebp*2+0x7f]
    mov dx, [edx+esi*4+0x7f]
    mov dx, [edx+edi*8+0x7f]
    mov dx, [ebx]
    mov dx, [ebx-0x12]
    mov dx, [ebx+0x12345678]
    mov dx, [ebx+eax*1+0x12345]
    mov dx, [ebx+ebp*2+0x7f]
    mov dx, [ebx+esi*4+0x7f]
    mov dx, [ebx+edi*8+0x7f]
    mov dx, [esp]
    mov dx, [esp-0x12]
    mov dx, [esp+0x12345678]
    mov dx, [esp+ebp*2+0x7f]
    mov dx, [esp+esi*4+0x7f]
    mov dx, [esp+edi*8+0x7f]
    mov dx, [ebp+0x0]
    mov dx, [ebp-0x12]
    mov dx, [ebp+0x12345678]
    mov dx, [ebp+eax*1+0x12345]
    mov dx, [ebp+ebp*2+0x7f]
    mov dx, [ebp+esi*4+0x7f]
    mov dx, [ebp+edi*8+0x7f]
    mov dx, [esi]
    mov dx, [esi-0x12]
    mov dx, [esi+0x12345678]
    mov dx, [esi+eax*1+0x12345]
    mov dx, [esi+ebp*2+0x7f]
    mov dx, [esi+esi*4+0x7f]
    mov dx, [esi+edi*8+0x7f]
    mov dx, [edi]
    mov dx, [edi-0x12]
    mov dx, [edi+0x12345678]
    mov dx, [edi+eax*1+0x12345]
    mov dx, [edi+ebp*2+0x7f]
    mov dx, [edi+esi*4+0x7f]
    mov dx, [edi+edi*8+0x7f]
    mov dx, [ecx*4+0x12345678]
    mov dx, [ebp*8+0x10]
    mov dx, [edx*8-0x80]
    mov dx, [dword 0x12345678]
    mov al, [ebx]
    mov [ebx], al
    mov cl, [ebx]
    mov [ebx], cl
    mov dl, [ebx]
    mov [ebx], dl
    mov bl, [ebx]
    mov [ebx], bl
    mov ah, [ebx]
    mov [ebx], ah
    mov ch, [ebx]
    mov [ebx], ch
    mov dh, [ebx]
    mov [ebx], dh
    mov bh, [ebx]
    mov [ebx], bh
    mov ax, [ebx]
    mov [ebx], ax
    mov cx, [ebx]
    mov [ebx], cx
    mov dx, [ebx]
    mov [ebx], dx
    mov bx, [ebx]
    mov [ebx], bx
    mov sp, [ebx]
    mov [ebx], sp
    mov bp, [ebx]
    mov [ebx], bp
    mov si, [ebx]
    mov [ebx], si
    mov di, [ebx]
    mov [ebx], di
    mov eax, [ebx]
    mov [ebx], eax
    mov ecx, [ebx]
    mov [ebx], ecx
    mov edx, [ebx]
    mov [ebx], edx
    mov ebx, [ebx]
    mov [ebx], ebx
    mov esp, [ebx]
    mov [ebx], esp
    mov ebp, [ebx]
    mov [ebx], ebp
    mov esi, [ebx]
    mov [ebx], esi
    mov edi, [ebx]
    mov [ebx], edi
    mov al, [di]
    mov [di], al
    mov cl, [di]
    mov [di], cl
    mov dl, [di]
    mov [di], dl
    mov bl, [di]
    mov [di], bl
    mov ah, [di]
    mov [di], ah
    mov ch, [di]
    mov [di], ch
    mov dh, [di]
    mov [di], dh
    mov bh, [di]
    mov [di], bh
    add al, [esi]
    add [esi], bl
    add cx, [esi]
    add [esi], bx
    add edx, [esi]
    add [esi], ebx
    add byte [esi], 0x12
    add word [esi], 0x12
    add word [esi], -0x12
    add word [esi], 0x1234
    add dword [esi], 0x12
    add dword [esi], -0x12
    add dword [esi], 0x1234
    or cl, [esi]
    or [esi], ah
    or dx, [esi]
    or [esi], sp
    or ebx, [esi]
    or [esi], esp
    or byte [esi], 0x12
    or word [esi], 0x12
    or word [esi], -0x12
    or word [esi], 0x1234
    or dword [esi], 0x12
    or dword [esi], -0x12
    or dword [esi], 0x1234
    adc dl, [esi]
    adc [esi], ch
    adc bx, [esi]
    adc [esi], bp
    adc esp, [esi]
    adc [esi], ebp
    adc byte [esi], 0x12
    adc word [esi], 0x12
    adc word [esi], -0x12
    adc word [esi], 0x1234
    adc dword [esi], 0x12
    adc dword [esi], -0x12
    adc dword [esi], 0x1234
    sbb bl, [esi]
    sbb [esi], dh
    sbb sp, [esi]
    sbb [esi], si
    sbb ebp, [esi]
    sbb [esi], esi
    sbb byte [esi], 0x12
    sbb word [esi], 0x12
    sbb word [esi], -0x12
    sbb word [esi], 0x1234
    sbb dword [esi], 0x12
    sbb dword [esi], -0x12
    sbb dword [esi], 0x1234
    and ah, [esi]
    and [esi], bh
    and bp, [esi]
    and [esi], di
    and esi, [esi]
    and [esi], edi
    and byte [esi], 0x12
    and word [esi], 0x12
    and word [esi], -0x12
    and word [esi], 0x1234
    and dword [esi], 0x12
    and dword [esi], -0x12
    and dword [esi], 0x1234
    sub ch, [esi]
    sub [esi], al
    sub si, [esi]
    sub [esi], ax
    sub edi, [esi]
    sub [esi], eax
    sub byte [esi], 0x12
    sub word [esi], 0x12
    sub word [esi], -0x12
    sub word [esi], 0x1234
    sub dword [esi], 0x12
    sub dword [esi], -0x12
    sub dword [esi], 0x1234
    xor dh, [esi]
    xor [esi], cl
    xor di, [esi]
    xor [esi], cx
    xor eax, [esi]
    xor [esi], ecx
    xor byte [esi], 0x12
    xor word [esi], 0x12
    xor word [esi], -0x12
    xor word [esi], 0x1234
    xor dword [esi], 0x12
    xor dword [esi], -0x12
    xor dword [esi], 0x1234
    cmp bh, [esi]
    cmp [esi], dl
    cmp ax, [esi]
    cmp [esi], dx
    cmp ecx, [esi]
    cmp [esi], edx
    cmp byte [esi], 0x12
    cmp word [esi], 0x12
    cmp word [esi], -0x12
    cmp word [esi], 0x1234
    cmp dword [esi], 0x12
    cmp dword [esi], -0x12
    cmp dword [esi], 0x1234
    test [esi], cl
    xchg [esi], dl
    test [esi], cx
    xchg [esi], dx
    test [esi], ecx
    xchg [esi], edx
    test byte [esi], 0x34
    mov byte [esi], 0x56
    test word [esi], 0x34
    mov word [esi], 0x56
    test dword [esi], 0x34
    mov dword [esi], 0x56
    movzx edx, byte [ebx]
    movsx edi, byte [bx]
    movzx edx, word [ebx]
    movsx edi, word [bx]
    movzx cx, byte [ebx]
    movsx dx, byte [ebx]
    mov al, [0x1234]
    mov [0x1234], al
    mov ax, [0x1234]
    mov [0x1234], ax
    mov eax, [0x1234]
    mov [0x1234], eax
    mov eax, [es:esi]
    mov eax, [cs:esi]
    mov eax, [ss:esi]
    mov eax, [ds:esi]
    mov eax, [fs:esi]
    mov eax, [gs:esi]
    mov dword [bx+si], 0x12345678
    mov word [ebx], 0x1234
    stosb
    rep stosb
    lodsb
    rep lodsb
    movsb
    rep movsb
    stosw
    rep stosw
    lodsw
    rep lodsw
    movsw
    rep movsw
    stosd
    rep stosd
    lodsd
    rep lodsd
    movsd
    rep movsd
    a16 rep stosd
    a32 rep stosd
    fs lodsb
    es rep movsd
    lock add dword [ebx], 0x1
    a32 lodsw
    a16 movsb
    xadd [0x1234], cl
    cmpxchg [bx+si], bh
    xadd [di-0x12], cl
    cmpxchg [bx+si], bh
    xadd [bx+si], cl
    cmpxchg [bx+si], bh
    inc byte [ebx]
    dec byte [ecx+esi*4+0x7f]
    not byte [bx+si]
    neg byte [di-0x12]
    mul byte [0x1234]
    imul byte [ebx]
    shl byte [ecx+esi*4+0x7f], 0x1
    shl byte [bx+si], cl
    shl byte [di-0x12], 0x1f
    shr byte [0x1234], 0x1
    shr byte [ebx], cl
    shr byte [ecx+esi*4+0x7f], 0x1f
    sar byte [bx+si], 0x1
    sar byte [di-0x12], cl
    sar byte [0x1234], 0x1f
    rol byte [ebx], 0x1
    rol byte [ecx+esi*4+0x7f], cl
    rol byte [bx+si], 0x1f
    ror byte [di-0x12], 0x1
    ror byte [0x1234], cl
    ror byte [ebx], 0x1f
    rcl byte [ecx+esi*4+0x7f], 0x1
    rcl byte [bx+si], cl
    rcl byte [di-0x12], 0x1f
    rcr byte [0x1234], 0x1
    rcr byte [ebx], cl
    rcr byte [ecx+esi*4+0x7f], 0x1f
    xadd [di-0x12], bp
    cmpxchg [ebx], ax
    xadd [bx+si], si
    cmpxchg [0x1234], bp
    xadd [ecx+esi*4+0x7f], ax
    cmpxchg [di-0x12], si
    inc word [0x1234]
    dec word [ebx]
    not word [ecx+esi*4+0x7f]
    neg word [bx+si]
    mul word [di-0x12]
    imul word [0x1234]
    shl word [ebx], 0x1
    shl word [ecx+esi*4+0x7f], cl
    shl word [bx+si], 0x1f
    shr word [di-0x12], 0x1
    shr word [0x1234], cl
    shr word [ebx], 0x1f
    sar word [ecx+esi*4+0x7f], 0x1
    sar word [bx+si], cl
    sar word [di-0x12], 0x1f
    rol word [0x1234], 0x1
    rol word [ebx], cl
    rol word [ecx+esi*4+0x7f], 0x1f
    ror word [bx+si], 0x1
    ror word [di-0x12], cl
    ror word [0x1234], 0x1f
    rcl word [ebx], 0x1
    rcl word [ecx+esi*4+0x7f], cl
    rcl word [bx+si], 0x1f
    rcr word [di-0x12], 0x1
    rcr word [0x1234], cl
    rcr word [ebx], 0x1f
    xadd [bx+si], edx
    cmpxchg [0x1234], ecx
    xadd [ecx+esi*4+0x7f], edi
    cmpxchg [di-0x12], edx
    xadd [ebx], ecx
    cmpxchg [bx+si], edi
    inc dword [di-0x12]
    dec dword [0x1234]
    not dword [ebx]
    neg dword [ecx+esi*4+0x7f]
    mul dword [bx+si]
    imul dword [di-0x12]
    shl dword [0x1234], 0x1
    shl dword [ebx], cl
    shl dword [ecx+esi*4+0x7f], 0x1f
    shr dword [bx+si], 0x1
    shr dword [di-0x12], cl
    shr dword [0x1234], 0x1f
    sar dword [ebx], 0x1
    sar dword [ecx+esi*4+0x7f], cl
    sar dword [bx+si], 0x1f
    rol dword [di-0x12], 0x1
    rol dword [0x1234], cl
    rol dword [ebx], 0x1f
    ror dword [ecx+esi*4+0x7f], 0x1
    ror dword [bx+si], cl
    ror dword [di-0x12], 0x1f
    rcl dword [0x1234], 0x1
    rcl dword [ebx], cl
    rcl dword [ecx+esi*4+0x7f], 0x1f
    rcr dword [bx+si], 0x1
    rcr dword [di-0x12], cl
    rcr dword [0x1234], 0x1f
    bt [ecx+esi*4+0x7f], bp
    bt word [bx+si], 0x1b
    bts [0x1234], bp
    bts word [ebx], 0x1b
    btr [bx+si], bp
    btr word [di-0x12], 0x1b
    btc [ebx], bp
    btc word [ecx+esi*4+0x7f], 0x1b
    movbe bp, [di-0x12]
    movbe [ebx], ax
    imul si, [bx+si]
    bsf bp, [0x1234]
    bsr ax, [ecx+esi*4+0x7f]
    popcnt si, [di-0x12]
    lzcnt bp, [ebx]
    tzcnt ax, [bx+si]
    imul si, [0x1234], 0x12
    imul bp, [ecx+esi*4+0x7f], -0x12
    imul ax, [di-0x12], 0x1234
    cmovb si, [ebx]
    cmovnz bp, [bx+si]
    cmovs ax, [0x1234]
    cmovnp si, [ecx+esi*4+0x7f]
    cmovng bp, [di-0x12]
    bt [ebx], ecx
    bt dword [ecx+esi*4+0x7f], 0x1b
    bts [di-0x12], ecx
    bts dword [0x1234], 0x1b
    btr [ecx+esi*4+0x7f], ecx
    btr dword [bx+si], 0x1b
    btc [0x1234], ecx
    btc dword [ebx], 0x1b
    movbe ecx, [bx+si]
    movbe [0x1234], edi
    imul edx, [ecx+esi*4+0x7f]
    bsf ecx, [di-0x12]
    bsr edi, [ebx]
    popcnt edx, [bx+si]
    lzcnt ecx, [0x1234]
    tzcnt edi, [ecx+esi*4+0x7f]
    imul edx, [di-0x12], 0x12
    imul ecx, [ebx], -0x12
    imul edi, [bx+si], 0x1234
    cmovno edx, [0x1234]
    cmovz ecx, [ecx+esi*4+0x7f]
    cmova edi, [di-0x12]
    cmovp edx, [ebx]
    cmovnl ecx, [bx+si]
    seto byte [di-0x12]
    cmovo ecx, [ebx]
    setno byte [ecx+esi*4+0x7f]
    cmovno ecx, [di-0x12]
    setb byte [0x1234]
    cmovb ecx, [ecx+esi*4+0x7f]
    setnb byte [bx+si]
    cmovnb ecx, [0x1234]
    setz byte [ebx]
    cmovz ecx, [bx+si]
    setnz byte [di-0x12]
    cmovnz ecx, [ebx]
    setbe byte [ecx+esi*4+0x7f]
    cmovbe ecx, [di-0x12]
    seta byte [0x1234]
    cmova ecx, [ecx+esi*4+0x7f]
    sets byte [bx+si]
    cmovs ecx, [0x1234]
    setns byte [ebx]
    cmovns ecx, [bx+si]
    setp byte [di-0x12]
    cmovp ecx, [ebx]
    setnp byte [ecx+esi*4+0x7f]
    cmovnp ecx, [di-0x12]
    setl byte [0x1234]
    cmovl ecx, [ecx+esi*4+0x7f]
    setnl byte [bx+si]
    cmovnl ecx, [0x1234]
    setng byte [ebx]
    cmovng ecx, [bx+si]
    setg byte [di-0x12]
    cmovg ecx, [ebx]
    movnti [ecx+esi*4+0x7f], ecx
    movnti [bx+si], edi
    mov word [di-0x12], es
    mov word [0x1234], cs
    mov word [ebx], ss
    mov word [ecx+esi*4+0x7f], ds
    mov word [bx+si], fs
    mov word [di-0x12], gs
    push word [bx+si]
    pop word [bx+si]
    push word [di-0x12]
    pop word [di-0x12]
    push word [0x1234]
    pop word [0x1234]
    push word [ebx]
    pop word [ebx]
    push word [ecx+esi*4+0x7f]
    pop word [ecx+esi*4+0x7f]
    push dword [bx+si]
    pop dword [bx+si]
    push dword [di-0x12]
    pop dword [di-0x12]
    push dword [0x1234]
    pop dword [0x1234]
    push dword [ebx]
    pop dword [ebx]
    push dword [ecx+esi*4+0x7f]
    pop dword [ecx+esi*4+0x7f]
    cmpxchg8b [0x1234]
    lock cmpxchg8b [ebx]
    lock inc dword [ebx]
    lock dec dword [ebx]
    lock not dword [ebx]
    lock neg dword [ebx]
    lock xadd [ebx], ecx
    lock cmpxchg [ebx], ecx
    lock xchg [ebx], ecx
    lock bts [ebx], ecx
    lock btr [ebx], ecx
    lock btc [ebx], ecx
    lock add [ebx], ecx
    lock or [ebx], ecx
    lock adc [ebx], ecx
    lock sbb [ebx], ecx
    lock and [ebx], ecx
    lock sub [ebx], ecx
    lock xor [ebx], ecx
    cmpsb
    repe cmpsb
    repne cmpsb
    scasb
    repe scasb
    repne scasb
    repne movsb
    repne stosb
    repne lodsb
    cmpsw
    repe cmpsw
    repne cmpsw
    scasw
    repe scasw
    repne scasw
    repne movsw
    repne stosw
    repne lodsw
    cmpsd
    repe cmpsd
    repne cmpsd
    scasd
    repe scasd
    repne scasd
    repne movsd
    repne stosd
    repne lodsd
    es repe cmpsb
    a32 repne scasb
    fs cmpsd
    movups xmm0, [bx+si]
    movups [di-0x12], xmm3
    movups xmm4, [ecx+esi*4+0x7f]
    movups [bx+si], xmm7
    movupd xmm0, [ebx]
    movupd [ecx+esi*4+0x7f], xmm3
    movupd xmm4, [0x1234]
    movupd [ebx], xmm7
    movaps xmm0, [di-0x12]
    movaps [0x1234], xmm3
    movaps xmm4, [bx+si]
    movaps [di-0x12], xmm7
    movapd xmm0, [ecx+esi*4+0x7f]
    movapd [bx+si], xmm3
    movapd xmm4, [ebx]
    movapd [ecx+esi*4+0x7f], xmm7
    movdqa xmm0, [0x1234]
    movdqa [ebx], xmm3
    movdqa xmm4, [di-0x12]
    movdqa [0x1234], xmm7
    movdqu xmm0, [bx+si]
    movdqu [di-0x12], xmm3
    movdqu xmm4, [ecx+esi*4+0x7f]
    movdqu [bx+si], xmm7
    movss xmm0, [ebx]
    movss [ecx+esi*4+0x7f], xmm3
    movss xmm4, [0x1234]
    movss [ebx], xmm7
    movsd xmm0, [di-0x12]
    movsd [0x1234], xmm3
    movsd xmm4, [bx+si]
    movsd [di-0x12], xmm7
    movlps xmm0, [ecx+esi*4+0x7f]
    movlps [bx+si], xmm3
    movlps xmm4, [ebx]
    movlps [ecx+esi*4+0x7f], xmm7
    movlpd xmm0, [0x1234]
    movlpd [ebx], xmm3
    movlpd xmm4, [di-0x12]
    movlpd [0x1234], xmm7
    movhps xmm0, [bx+si]
    movhps [di-0x12], xmm3
    movhps xmm4, [ecx+esi*4+0x7f]
    movhps [bx+si], xmm7
    movhpd xmm0, [ebx]
    movhpd [ecx+esi*4+0x7f], xmm3
    movhpd xmm4, [0x1234]
    movhpd [ebx], xmm7
    movntps [bx+si], xmm1
    movntpd [0x1234], xmm3
    movntdq [ecx+esi*4+0x7f], xmm5
    movntdqa xmm6, [0x1234]
    lddqu xmm0, [ecx+esi*4+0x7f]
    movd xmm2, dword [di-0x12]
    movd dword [0x1234], xmm5
    movq xmm6, qword [bx+si]
    movq qword [di-0x12], xmm1
    vmovups xmm2, [ecx+esi*4+0x7f]
    vmovups [bx+si], xmm5
    vmovups ymm6, [ebx]
    vmovups [ecx+esi*4+0x7f], ymm1
    vmovupd xmm2, [0x1234]
    vmovupd [ebx], xmm5
    vmovupd ymm6, [di-0x12]
    vmovupd [0x1234], ymm1
    vmovaps xmm2, [bx+si]
    vmovaps [di-0x12], xmm5
    vmovaps ymm6, [ecx+esi*4+0x7f]
    vmovaps [bx+si], ymm1
    vmovapd xmm2, [ebx]
    vmovapd [ecx+esi*4+0x7f], xmm5
    vmovapd ymm6, [0x1234]
    vmovapd [ebx], ymm1
    vmovdqa xmm2, [di-0x12]
    vmovdqa [0x1234], xmm5
    vmovdqa ymm6, [bx+si]
    vmovdqa [di-0x12], ymm1
    vmovdqu xmm2, [ecx+esi*4+0x7f]
    vmovdqu [bx+si], xmm5
    vmovdqu ymm6, [ebx]
    vmovdqu [ecx+esi*4+0x7f], ymm1
    vmovss xmm2, [0x1234]
    vmovss [ebx], xmm5
    vmovsd xmm6, [di-0x12]
    vmovsd [0x1234], xmm1
    vmovlps xmm2, xmm3, [di-0x12]
    vmovlps [0x1234], xmm6
    vmovlpd xmm7, xmm0, [di-0x12]
    vmovlpd [0x1234], xmm3
    vmovhps xmm4, xmm5, [di-0x12]
    vmovhps [0x1234], xmm0
    vmovhpd xmm1, xmm2, [di-0x12]
    vmovhpd [0x1234], xmm5
    vmovntps [ecx+esi*4+0x7f], xmm7
    vmovntps [di-0x12], ymm1
    vmovntpd [ebx], xmm3
    vmovntpd [bx+si], ymm5
    vmovntdq [0x1234], xmm7
    vmovntdq [ecx+esi*4+0x7f], ymm1
    vmovntdqa xmm2, [0x1234]
    vmovntdqa ymm4, [ecx+esi*4+0x7f]
    vlddqu xmm6, [di-0x12]
    vlddqu ymm0, [ebx]
    vmovd xmm2, dword [bx+si]
    vmovd dword [di-0x12], xmm5
    vmovq xmm6, qword [ecx+esi*4+0x7f]
    vmovq qword [bx+si], xmm1
bits 32
    mov ecx, [bx+si]
    mov ecx, [bx+si+0x12]
    mov ecx, [bx+si-0x12]
    mov ecx, [bx+si+0x1234]
    mov ecx, [bx+di]
    mov ecx, [bx+di+0x12]
    mov ecx, [bx+di-0x12]
    mov ecx, [bx+di+0x1234]
    mov ecx, [bp+si]
    mov ecx, [bp+si+0x12]
    mov ecx, [bp+si-0x12]
    mov ecx, [bp+si+0x1234]
    mov ecx, [bp+di]
    mov ecx, [bp+di+0x12]
    mov ecx, [bp+di-0x12]
    mov ecx, [bp+di+0x1234]
    mov ecx, [si]
    mov ecx, [si+0x12]
    mov ecx, [si-0x12]
    mov ecx, [si+0x1234]
    mov ecx, [di]
    mov ecx, [di+0x12]
    mov ecx, [di-0x12]
    mov ecx, [di+0x1234]
    mov ecx, [bx]
    mov ecx, [bx+0x12]
    mov ecx, [bx-0x12]
    mov ecx, [bx+0x1234]
    mov ecx, [bp+0x12]
    mov ecx, [bp-0x80]
    mov ecx, [bp+0x1234]
    mov ecx, [0x1234]
    mov dx, [eax]
    mov dx, [eax-0x12]
    mov dx, [eax+0x12345678]
    mov dx, [eax+eax*1+0x12345]
    mov dx, [eax+ebp*2+0x7f]
    mov dx, [eax+esi*4+0x7f]
    mov dx, [eax+edi*8+0x7f]
    mov dx, [ecx]
    mov dx, [ecx-0x12]
    mov dx, [ecx+0x12345678]
    mov dx, [ecx+eax*1+0x12345]
    mov dx, [ecx+ebp*2+0x7f]
    mov dx, [ecx+esi*4+0x7f]
    mov dx, [ecx+edi*8+0x7f]
    mov dx, [edx]
    mov dx, [edx-0x12]
    mov dx, [edx+0x12345678]
    mov dx, [edx+eax*1+0x12345]
    mov dx, [edx+ebp*2+0x7f]
    mov dx, [edx+esi*4+0x7f]
    mov dx, [edx+edi*8+0x7f]
    mov dx, [ebx]
    mov dx, [ebx-0x12]
    mov dx, [ebx+0x12345678]
    mov dx, [ebx+eax*1+0x12345]
    mov dx, [ebx+ebp*2+0x7f]
    mov dx, [ebx+esi*4+0x7f]
    mov dx, [ebx+edi*8+0x7f]
    mov dx, [esp]
    mov dx, [esp-0x12]
    mov dx, [esp+0x12345678]
    mov dx, [esp+ebp*2+0x7f]
    mov dx, [esp+esi*4+0x7f]
    mov dx, [esp+edi*8+0x7f]
    mov dx, [ebp+0x0]
    mov dx, [ebp-0x12]
    mov dx, [ebp+0x12345678]
    mov dx, [ebp+eax*1+0x12345]
    mov dx, [ebp+ebp*2+0x7f]
    mov dx, [ebp+esi*4+0x7f]
    mov dx, [ebp+edi*8+0x7f]
    mov dx, [esi]
    mov dx, [esi-0x12]
    mov dx, [esi+0x12345678]
    mov dx, [esi+eax*1+0x12345]
    mov dx, [esi+ebp*2+0x7f]
    mov dx, [esi+esi*4+0x7f]
    mov dx, [esi+edi*8+0x7f]
    mov dx, [edi]
    mov dx, [edi-0x12]
    mov dx, [edi+0x12345678]
    mov dx, [edi+eax*1+0x12345]
    mov dx, [edi+ebp*2+0x7f]
    mov dx, [edi+esi*4+0x7f]
    mov dx, [edi+edi*8+0x7f]
    mov dx, [ecx*4+0x12345678]
    mov dx, [ebp*8+0x10]
    mov dx, [edx*8-0x80]
    mov dx, [dword 0x12345678]
    mov al, [ebx]
    mov [ebx], al
    mov cl, [ebx]
    mov [ebx], cl
    mov dl, [ebx]
    mov [ebx], dl
    mov bl, [ebx]
    mov [ebx], bl
    mov ah, [ebx]
    mov [ebx], ah
    mov ch, [ebx]
    mov [ebx], ch
    mov dh, [ebx]
    mov [ebx], dh
    mov bh, [ebx]
    mov [ebx], bh
    mov ax, [ebx]
    mov [ebx], ax
    mov cx, [ebx]
    mov [ebx], cx
    mov dx, [ebx]
    mov [ebx], dx
    mov bx, [ebx]
    mov [ebx], bx
    mov sp, [ebx]
    mov [ebx], sp
    mov bp, [ebx]
    mov [ebx], bp
    mov si, [ebx]
    mov [ebx], si
    mov di, [ebx]
    mov [ebx], di
    mov eax, [ebx]
    mov [ebx], eax
    mov ecx, [ebx]
    mov [ebx], ecx
    mov edx, [ebx]
    mov [ebx], edx
    mov ebx, [ebx]
    mov [ebx], ebx
    mov esp, [ebx]
    mov [ebx], esp
    mov ebp, [ebx]
    mov [ebx], ebp
    mov esi, [ebx]
    mov [ebx], esi
    mov edi, [ebx]
    mov [ebx], edi
    mov al, [di]
    mov [di], al
    mov cl, [di]
    mov [di], cl
    mov dl, [di]
    mov [di], dl
    mov bl, [di]
    mov [di], bl
    mov ah, [di]
    mov [di], ah
    mov ch, [di]
    mov [di], ch
    mov dh, [di]
    mov [di], dh
    mov bh, [di]
    mov [di], bh
    add al, [esi]
    add [esi], bl
    add cx, [esi]
    add [esi], bx
    add edx, [esi]
    add [esi], ebx
    add byte [esi], 0x12
    add word [esi], 0x12
    add word [esi], -0x12
    add word [esi], 0x1234
    add dword [esi], 0x12
    add dword [esi], -0x12
    add dword [esi], 0x1234
    or cl, [esi]
    or [esi], ah
    or dx, [esi]
    or [esi], sp
    or ebx, [esi]
    or [esi], esp
    or byte [esi], 0x12
    or word [esi], 0x12
    or word [esi], -0x12
    or word [esi], 0x1234
    or dword [esi], 0x12
    or dword [esi], -0x12
    or dword [esi], 0x1234
    adc dl, [esi]
    adc [esi], ch
    adc bx, [esi]
    adc [esi], bp
    adc esp, [esi]
    adc [esi], ebp
    adc byte [esi], 0x12
    adc word [esi], 0x12
    adc word [esi], -0x12
    adc word [esi], 0x1234
    adc dword [esi], 0x12
    adc dword [esi], -0x12
    adc dword [esi], 0x1234
    sbb bl, [esi]
    sbb [esi], dh
    sbb sp, [esi]
    sbb [esi], si
    sbb ebp, [esi]
    sbb [esi], esi
    sbb byte [esi], 0x12
    sbb word [esi], 0x12
    sbb word [esi], -0x12
    sbb word [esi], 0x1234
    sbb dword [esi], 0x12
    sbb dword [esi], -0x12
    sbb dword [esi], 0x1234
    and ah, [esi]
    and [esi], bh
    and bp, [esi]
    and [esi], di
    and esi, [esi]
    and [esi], edi
    and byte [esi], 0x12
    and word [esi], 0x12
    and word [esi], -0x12
    and word [esi], 0x1234
    and dword [esi], 0x12
    and dword [esi], -0x12
    and dword [esi], 0x1234
    sub ch, [esi]
    sub [esi], al
    sub si, [esi]
    sub [esi], ax
    sub edi, [esi]
    sub [esi], eax
    sub byte [esi], 0x12
    sub word [esi], 0x12
    sub word [esi], -0x12
    sub word [esi], 0x1234
    sub dword [esi], 0x12
    sub dword [esi], -0x12
    sub dword [esi], 0x1234
    xor dh, [esi]
    xor [esi], cl
    xor di, [esi]
    xor [esi], cx
    xor eax, [esi]
    xor [esi], ecx
    xor byte [esi], 0x12
    xor word [esi], 0x12
    xor word [esi], -0x12
    xor word [esi], 0x1234
    xor dword [esi], 0x12
    xor dword [esi], -0x12
    xor dword [esi], 0x1234
    cmp bh, [esi]
    cmp [esi], dl
    cmp ax, [esi]
    cmp [esi], dx
    cmp ecx, [esi]
    cmp [esi], edx
    cmp byte [esi], 0x12
    cmp word [esi], 0x12
    cmp word [esi], -0x12
    cmp word [esi], 0x1234
    cmp dword [esi], 0x12
    cmp dword [esi], -0x12
    cmp dword [esi], 0x1234
    test [esi], cl
    xchg [esi], dl
    test [esi], cx
    xchg [esi], dx
    test [esi], ecx
    xchg [esi], edx
    test byte [esi], 0x34
    mov byte [esi], 0x56
    test word [esi], 0x34
    mov word [esi], 0x56
    test dword [esi], 0x34
    mov dword [esi], 0x56
    movzx edx, byte [ebx]
    movsx edi, byte [bx]
    movzx edx, word [ebx]
    movsx edi, word [bx]
    movzx cx, byte [ebx]
    movsx dx, byte [ebx]
    mov al, [0x1234]
    mov [0x1234], al
    mov ax, [0x1234]
    mov [0x1234], ax
    mov eax, [0x1234]
    mov [0x1234], eax
    mov eax, [es:esi]
    mov eax, [cs:esi]
    mov eax, [ss:esi]
    mov eax, [ds:esi]
    mov eax, [fs:esi]
    mov eax, [gs:esi]
    mov dword [bx+si], 0x12345678
    mov word [ebx], 0x1234
    stosb
    rep stosb
    lodsb
    rep lodsb
    movsb
    rep movsb
    stosw
    rep stosw
    lodsw
    rep lodsw
    movsw
    rep movsw
    stosd
    rep stosd
    lodsd
    rep lodsd
    movsd
    rep movsd
    a16 rep stosd
    a32 rep stosd
    fs lodsb
    es rep movsd
    lock add dword [ebx], 0x1
    a32 lodsw
    a16 movsb
    xadd [ebp-0x12], cl
    cmpxchg [ebx], bh
    xadd [ecx+esi*4+0x7f], cl
    cmpxchg [ebx], bh
    xadd [ebx], cl
    cmpxchg [ebx], bh
    inc byte [0x12345678]
    dec byte [bx+di]
    not byte [ebx]
    neg byte [ecx+esi*4+0x7f]
    mul byte [ebp-0x12]
    imul byte [0x12345678]
    shl byte [bx+di], 0x1
    shl byte [ebx], cl
    shl byte [ecx+esi*4+0x7f], 0x1f
    shr byte [ebp-0x12], 0x1
    shr byte [0x12345678], cl
    shr byte [bx+di], 0x1f
    sar byte [ebx], 0x1
    sar byte [ecx+esi*4+0x7f], cl
    sar byte [ebp-0x12], 0x1f
    rol byte [0x12345678], 0x1
    rol byte [bx+di], cl
    rol byte [ebx], 0x1f
    ror byte [ecx+esi*4+0x7f], 0x1
    ror byte [ebp-0x12], cl
    ror byte [0x12345678], 0x1f
    rcl byte [bx+di], 0x1
    rcl byte [ebx], cl
    rcl byte [ecx+esi*4+0x7f], 0x1f
    rcr byte [ebp-0x12], 0x1
    rcr byte [0x12345678], cl
    rcr byte [bx+di], 0x1f
    xadd [ecx+esi*4+0x7f], bp
    cmpxchg [0x12345678], ax
    xadd [ebx], si
    cmpxchg [ebp-0x12], bp
    xadd [bx+di], ax
    cmpxchg [ecx+esi*4+0x7f], si
    inc word [ebp-0x12]
    dec word [0x12345678]
    not word [bx+di]
    neg word [ebx]
    mul word [ecx+esi*4+0x7f]
    imul word [ebp-0x12]
    shl word [0x12345678], 0x1
    shl word [bx+di], cl
    shl word [ebx], 0x1f
    shr word [ecx+esi*4+0x7f], 0x1
    shr word [ebp-0x12], cl
    shr word [0x12345678], 0x1f
    sar word [bx+di], 0x1
    sar word [ebx], cl
    sar word [ecx+esi*4+0x7f], 0x1f
    rol word [ebp-0x12], 0x1
    rol word [0x12345678], cl
    rol word [bx+di], 0x1f
    ror word [ebx], 0x1
    ror word [ecx+esi*4+0x7f], cl
    ror word [ebp-0x12], 0x1f
    rcl word [0x12345678], 0x1
    rcl word [bx+di], cl
    rcl word [ebx], 0x1f
    rcr word [ecx+esi*4+0x7f], 0x1
    rcr word [ebp-0x12], cl
    rcr word [0x12345678], 0x1f
    xadd [ebx], edx
    cmpxchg [ebp-0x12], ecx
    xadd [bx+di], edi
    cmpxchg [ecx+esi*4+0x7f], edx
    xadd [0x12345678], ecx
    cmpxchg [ebx], edi
    inc dword [ecx+esi*4+0x7f]
    dec dword [ebp-0x12]
    not dword [0x12345678]
    neg dword [bx+di]
    mul dword [ebx]
    imul dword [ecx+esi*4+0x7f]
    shl dword [ebp-0x12], 0x1
    shl dword [0x12345678], cl
    shl dword [bx+di], 0x1f
    shr dword [ebx], 0x1
    shr dword [ecx+esi*4+0x7f], cl
    shr dword [ebp-0x12], 0x1f
    sar dword [0x12345678], 0x1
    sar dword [bx+di], cl
    sar dword [ebx], 0x1f
    rol dword [ecx+esi*4+0x7f], 0x1
    rol dword [ebp-0x12], cl
    rol dword [0x12345678], 0x1f
    ror dword [bx+di], 0x1
    ror dword [ebx], cl
    ror dword [ecx+esi*4+0x7f], 0x1f
    rcl dword [ebp-0x12], 0x1
    rcl dword [0x12345678], cl
    rcl dword [bx+di], 0x1f
    rcr dword [ebx], 0x1
    rcr dword [ecx+esi*4+0x7f], cl
    rcr dword [ebp-0x12], 0x1f
    bt [bx+di], bp
    bt word [ebx], 0x1b
    bts [ebp-0x12], bp
    bts word [0x12345678], 0x1b
    btr [ebx], bp
    btr word [ecx+esi*4+0x7f], 0x1b
    btc [0x12345678], bp
    btc word [bx+di], 0x1b
    movbe bp, [ecx+esi*4+0x7f]
    movbe [0x12345678], ax
    imul si, [ebx]
    bsf bp, [ebp-0x12]
    bsr ax, [bx+di]
    popcnt si, [ecx+esi*4+0x7f]
    lzcnt bp, [0x12345678]
    tzcnt ax, [ebx]
    imul si, [ebp-0x12], 0x12
    imul bp, [bx+di], -0x12
    imul ax, [ecx+esi*4+0x7f], 0x1234
    cmovb si, [0x12345678]
    cmovnz bp, [ebx]
    cmovs ax, [ebp-0x12]
    cmovnp si, [bx+di]
    cmovng bp, [ecx+esi*4+0x7f]
    bt [0x12345678], ecx
    bt dword [bx+di], 0x1b
    bts [ecx+esi*4+0x7f], ecx
    bts dword [ebp-0x12], 0x1b
    btr [bx+di], ecx
    btr dword [ebx], 0x1b
    btc [ebp-0x12], ecx
    btc dword [0x12345678], 0x1b
    movbe ecx, [ebx]
    movbe [ebp-0x12], edi
    imul edx, [bx+di]
    bsf ecx, [ecx+esi*4+0x7f]
    bsr edi, [0x12345678]
    popcnt edx, [ebx]
    lzcnt ecx, [ebp-0x12]
    tzcnt edi, [bx+di]
    imul edx, [ecx+esi*4+0x7f], 0x12
    imul ecx, [0x12345678], -0x12
    imul edi, [ebx], 0x1234
    cmovno edx, [ebp-0x12]
    cmovz ecx, [bx+di]
    cmova edi, [ecx+esi*4+0x7f]
    cmovp edx, [0x12345678]
    cmovnl ecx, [ebx]
    seto byte [ecx+esi*4+0x7f]
    cmovo ecx, [0x12345678]
    setno byte [bx+di]
    cmovno ecx, [ecx+esi*4+0x7f]
    setb byte [ebp-0x12]
    cmovb ecx, [bx+di]
    setnb byte [ebx]
    cmovnb ecx, [ebp-0x12]
    setz byte [0x12345678]
    cmovz ecx, [ebx]
    setnz byte [ecx+esi*4+0x7f]
    cmovnz ecx, [0x12345678]
    setbe byte [bx+di]
    cmovbe ecx, [ecx+esi*4+0x7f]
    seta byte [ebp-0x12]
    cmova ecx, [bx+di]
    sets byte [ebx]
    cmovs ecx, [ebp-0x12]
    setns byte [0x12345678]
    cmovns ecx, [ebx]
    setp byte [ecx+esi*4+0x7f]
    cmovp ecx, [0x12345678]
    setnp byte [bx+di]
    cmovnp ecx, [ecx+esi*4+0x7f]
    setl byte [ebp-0x12]
    cmovl ecx, [bx+di]
    setnl byte [ebx]
    cmovnl ecx, [ebp-0x12]
    setng byte [0x12345678]
    cmovng ecx, [ebx]
    setg byte [ecx+esi*4+0x7f]
    cmovg ecx, [0x12345678]
    movnti [bx+di], ecx
    movnti [ebx], edi
    mov word [ecx+esi*4+0x7f], es
    mov word [ebp-0x12], cs
    mov word [0x12345678], ss
    mov word [bx+di], ds
    mov word [ebx], fs
    mov word [ecx+esi*4+0x7f], gs
    push word [ebx]
    pop word [ebx]
    push word [ecx+esi*4+0x7f]
    pop word [ecx+esi*4+0x7f]
    push word [ebp-0x12]
    pop word [ebp-0x12]
    push word [0x12345678]
    pop word [0x12345678]
    push word [bx+di]
    pop word [bx+di]
    push dword [ebx]
    pop dword [ebx]
    push dword [ecx+esi*4+0x7f]
    pop dword [ecx+esi*4+0x7f]
    push dword [ebp-0x12]
    pop dword [ebp-0x12]
    push dword [0x12345678]
    pop dword [0x12345678]
    push dword [bx+di]
    pop dword [bx+di]
    cmpxchg8b [ebp-0x12]
    lock cmpxchg8b [0x12345678]
    lock inc dword [ebx]
    lock dec dword [ebx]
    lock not dword [ebx]
    lock neg dword [ebx]
    lock xadd [ebx], ecx
    lock cmpxchg [ebx], ecx
    lock xchg [ebx], ecx
    lock bts [ebx], ecx
    lock btr [ebx], ecx
    lock btc [ebx], ecx
    lock add [ebx], ecx
    lock or [ebx], ecx
    lock adc [ebx], ecx
    lock sbb [ebx], ecx
    lock and [ebx], ecx
    lock sub [ebx], ecx
    lock xor [ebx], ecx
    cmpsb
    repe cmpsb
    repne cmpsb
    scasb
    repe scasb
    repne scasb
    repne movsb
    repne stosb
    repne lodsb
    cmpsw
    repe cmpsw
    repne cmpsw
    scasw
    repe scasw
    repne scasw
    repne movsw
    repne stosw
    repne lodsw
    cmpsd
    repe cmpsd
    repne cmpsd
    scasd
    repe scasd
    repne scasd
    repne movsd
    repne stosd
    repne lodsd
    es repe cmpsb
    a16 repne scasb
    fs cmpsd
    movups xmm0, [ebx]
    movups [ecx+esi*4+0x7f], xmm3
    movups xmm4, [bx+di]
    movups [ebx], xmm7
    movupd xmm0, [0x12345678]
    movupd [bx+di], xmm3
    movupd xmm4, [ebp-0x12]
    movupd [0x12345678], xmm7
    movaps xmm0, [ecx+esi*4+0x7f]
    movaps [ebp-0x12], xmm3
    movaps xmm4, [ebx]
    movaps [ecx+esi*4+0x7f], xmm7
    movapd xmm0, [bx+di]
    movapd [ebx], xmm3
    movapd xmm4, [0x12345678]
    movapd [bx+di], xmm7
    movdqa xmm0, [ebp-0x12]
    movdqa [0x12345678], xmm3
    movdqa xmm4, [ecx+esi*4+0x7f]
    movdqa [ebp-0x12], xmm7
    movdqu xmm0, [ebx]
    movdqu [ecx+esi*4+0x7f], xmm3
    movdqu xmm4, [bx+di]
    movdqu [ebx], xmm7
    movss xmm0, [0x12345678]
    movss [bx+di], xmm3
    movss xmm4, [ebp-0x12]
    movss [0x12345678], xmm7
    movsd xmm0, [ecx+esi*4+0x7f]
    movsd [ebp-0x12], xmm3
    movsd xmm4, [ebx]
    movsd [ecx+esi*4+0x7f], xmm7
    movlps xmm0, [bx+di]
    movlps [ebx], xmm3
    movlps xmm4, [0x12345678]
    movlps [bx+di], xmm7
    movlpd xmm0, [ebp-0x12]
    movlpd [0x12345678], xmm3
    movlpd xmm4, [ecx+esi*4+0x7f]
    movlpd [ebp-0x12], xmm7
    movhps xmm0, [ebx]
    movhps [ecx+esi*4+0x7f], xmm3
    movhps xmm4, [bx+di]
    movhps [ebx], xmm7
    movhpd xmm0, [0x12345678]
    movhpd [bx+di], xmm3
    movhpd xmm4, [ebp-0x12]
    movhpd [0x12345678], xmm7
    movntps [ebx], xmm1
    movntpd [ebp-0x12], xmm3
    movntdq [bx+di], xmm5
    movntdqa xmm6, [ebp-0x12]
    lddqu xmm0, [bx+di]
    movd xmm2, dword [ecx+esi*4+0x7f]
    movd dword [ebp-0x12], xmm5
    movq xmm6, qword [ebx]
    movq qword [ecx+esi*4+0x7f], xmm1
    vmovups xmm2, [bx+di]
    vmovups [ebx], xmm5
    vmovups ymm6, [0x12345678]
    vmovups [bx+di], ymm1
    vmovupd xmm2, [ebp-0x12]
    vmovupd [0x12345678], xmm5
    vmovupd ymm6, [ecx+esi*4+0x7f]
    vmovupd [ebp-0x12], ymm1
    vmovaps xmm2, [ebx]
    vmovaps [ecx+esi*4+0x7f], xmm5
    vmovaps ymm6, [bx+di]
    vmovaps [ebx], ymm1
    vmovapd xmm2, [0x12345678]
    vmovapd [bx+di], xmm5
    vmovapd ymm6, [ebp-0x12]
    vmovapd [0x12345678], ymm1
    vmovdqa xmm2, [ecx+esi*4+0x7f]
    vmovdqa [ebp-0x12], xmm5
    vmovdqa ymm6, [ebx]
    vmovdqa [ecx+esi*4+0x7f], ymm1
    vmovdqu xmm2, [bx+di]
    vmovdqu [ebx], xmm5
    vmovdqu ymm6, [0x12345678]
    vmovdqu [bx+di], ymm1
    vmovss xmm2, [ebp-0x12]
    vmovss [0x12345678], xmm5
    vmovsd xmm6, [ecx+esi*4+0x7f]
    vmovsd [ebp-0x12], xmm1
    vmovlps xmm2, xmm3, [ecx+esi*4+0x7f]
    vmovlps [ebp-0x12], xmm6
    vmovlpd xmm7, xmm0, [ecx+esi*4+0x7f]
    vmovlpd [ebp-0x12], xmm3
    vmovhps xmm4, xmm5, [ecx+esi*4+0x7f]
    vmovhps [ebp-0x12], xmm0
    vmovhpd xmm1, xmm2, [ecx+esi*4+0x7f]
    vmovhpd [ebp-0x12], xmm5
    vmovntps [bx+di], xmm7
    vmovntps [ecx+esi*4+0x7f], ymm1
    vmovntpd [0x12345678], xmm3
    vmovntpd [ebx], ymm5
    vmovntdq [ebp-0x12], xmm7
    vmovntdq [bx+di], ymm1
    vmovntdqa xmm2, [ebp-0x12]
    vmovntdqa ymm4, [bx+di]
    vlddqu xmm6, [ecx+esi*4+0x7f]
    vlddqu ymm0, [0x12345678]
    vmovd xmm2, dword [ebx]
    vmovd dword [ecx+esi*4+0x7f], xmm5
    vmovq xmm6, qword [bx+di]
    vmovq qword [ebx], xmm1
bits 64
    mov ecx, [rax]
    mov [rax], r9
    mov ecx, [rax-0x12]
    mov [rax-0x12], r9
    mov ecx, [rax+0x12345678]
    mov [rax+0x12345678], r9
    mov ecx, [rax+r12*1]
    mov [rax+r12*1], r9
    mov ecx, [rax+r12*1-0x7f]
    mov [rax+r12*1-0x7f], r9
    mov ecx, [rcx]
    mov [rcx], r9
    mov ecx, [rcx-0x12]
    mov [rcx-0x12], r9
    mov ecx, [rcx+0x12345678]
    mov [rcx+0x12345678], r9
    mov ecx, [rcx+r9*2]
    mov [rcx+r9*2], r9
    mov ecx, [rcx+r9*2-0x7f]
    mov [rcx+r9*2-0x7f], r9
    mov ecx, [rdx]
    mov [rdx], r9
    mov ecx, [rdx-0x12]
    mov [rdx-0x12], r9
    mov ecx, [rdx+0x12345678]
    mov [rdx+0x12345678], r9
    mov ecx, [rdx+rbp*4]
    mov [rdx+rbp*4], r9
    mov ecx, [rdx+rbp*4-0x7f]
    mov [rdx+rbp*4-0x7f], r9
    mov ecx, [rbx]
    mov [rbx], r9
    mov ecx, [rbx-0x12]
    mov [rbx-0x12], r9
    mov ecx, [rbx+0x12345678]
    mov [rbx+0x12345678], r9
    mov ecx, [rbx+rax*8]
    mov [rbx+rax*8], r9
    mov ecx, [rbx+rax*8-0x7f]
    mov [rbx+rax*8-0x7f], r9
    mov ecx, [rsp]
    mov [rsp], r9
    mov ecx, [rsp-0x12]
    mov [rsp-0x12], r9
    mov ecx, [rsp+0x12345678]
    mov [rsp+0x12345678], r9
    mov ecx, [rsp+r12*1]
    mov [rsp+r12*1], r9
    mov ecx, [rsp+r12*1-0x7f]
    mov [rsp+r12*1-0x7f], r9
    mov ecx, [rbp+0x0]
    mov [rbp+0x0], r9
    mov ecx, [rbp-0x12]
    mov [rbp-0x12], r9
    mov ecx, [rbp+0x12345678]
    mov [rbp+0x12345678], r9
    mov ecx, [rbp+r9*2+0x8]
    mov [rbp+r9*2+0x8], r9
    mov ecx, [rbp+r9*2-0x7f]
    mov [rbp+r9*2-0x7f], r9
    mov ecx, [rsi]
    mov [rsi], r9
    mov ecx, [rsi-0x12]
    mov [rsi-0x12], r9
    mov ecx, [rsi+0x12345678]
    mov [rsi+0x12345678], r9
    mov ecx, [rsi+rbp*4]
    mov [rsi+rbp*4], r9
    mov ecx, [rsi+rbp*4-0x7f]
    mov [rsi+rbp*4-0x7f], r9
    mov ecx, [rdi]
    mov [rdi], r9
    mov ecx, [rdi-0x12]
    mov [rdi-0x12], r9
    mov ecx, [rdi+0x12345678]
    mov [rdi+0x12345678], r9
    mov ecx, [rdi+rax*8]
    mov [rdi+rax*8], r9
    mov ecx, [rdi+rax*8-0x7f]
    mov [rdi+rax*8-0x7f], r9
    mov ecx, [r8]
    mov [r8], r9
    mov ecx, [r8-0x12]
    mov [r8-0x12], r9
    mov ecx, [r8+0x12345678]
    mov [r8+0x12345678], r9
    mov ecx, [r8+r12*1]
    mov [r8+r12*1], r9
    mov ecx, [r8+r12*1-0x7f]
    mov [r8+r12*1-0x7f], r9
    mov ecx, [r9]
    mov [r9], r9
    mov ecx, [r9-0x12]
    mov [r9-0x12], r9
    mov ecx, [r9+0x12345678]
    mov [r9+0x12345678], r9
    mov ecx, [r9+r9*2]
    mov [r9+r9*2], r9
    mov ecx, [r9+r9*2-0x7f]
    mov [r9+r9*2-0x7f], r9
    mov ecx, [r10]
    mov [r10], r9
    mov ecx, [r10-0x12]
    mov [r10-0x12], r9
    mov ecx, [r10+0x12345678]
    mov [r10+0x12345678], r9
    mov ecx, [r10+rbp*4]
    mov [r10+rbp*4], r9
    mov ecx, [r10+rbp*4-0x7f]
    mov [r10+rbp*4-0x7f], r9
    mov ecx, [r11]
    mov [r11], r9
    mov ecx, [r11-0x12]
    mov [r11-0x12], r9
    mov ecx, [r11+0x12345678]
    mov [r11+0x12345678], r9
    mov ecx, [r11+rax*8]
    mov [r11+rax*8], r9
    mov ecx, [r11+rax*8-0x7f]
    mov [r11+rax*8-0x7f], r9
    mov ecx, [r12]
    mov [r12], r9
    mov ecx, [r12-0x12]
    mov [r12-0x12], r9
    mov ecx, [r12+0x12345678]
    mov [r12+0x12345678], r9
    mov ecx, [r12+r12*1]
    mov [r12+r12*1], r9
    mov ecx, [r12+r12*1-0x7f]
    mov [r12+r12*1-0x7f], r9
    mov ecx, [r13+0x0]
    mov [r13+0x0], r9
    mov ecx, [r13-0x12]
    mov [r13-0x12], r9
    mov ecx, [r13+0x12345678]
    mov [r13+0x12345678], r9
    mov ecx, [r13+r9*2+0x8]
    mov [r13+r9*2+0x8], r9
    mov ecx, [r13+r9*2-0x7f]
    mov [r13+r9*2-0x7f], r9
    mov ecx, [r14]
    mov [r14], r9
    mov ecx, [r14-0x12]
    mov [r14-0x12], r9
    mov ecx, [r14+0x12345678]
    mov [r14+0x12345678], r9
    mov ecx, [r14+rbp*4]
    mov [r14+rbp*4], r9
    mov ecx, [r14+rbp*4-0x7f]
    mov [r14+rbp*4-0x7f], r9
    mov ecx, [r15]
    mov [r15], r9
    mov ecx, [r15-0x12]
    mov [r15-0x12], r9
    mov ecx, [r15+0x12345678]
    mov [r15+0x12345678], r9
    mov ecx, [r15+rax*8]
    mov [r15+rax*8], r9
    mov ecx, [r15+rax*8-0x7f]
    mov [r15+rax*8-0x7f], r9
    mov ecx, [r12*4+0x12345678]
    mov [r12*4+0x12345678], r9
    mov ecx, [rcx*8-0x10]
    mov [rcx*8-0x10], r9
    mov ecx, [rel start]
    mov [rel start], r9
    mov ecx, [abs 0x12345678]
    mov [abs 0x12345678], r9
    mov dx, [eax]
    mov dx, [eax-0x12]
    mov dx, [eax+0x12345678]
    mov dx, [eax+eax*1+0x12345]
    mov dx, [eax+ebp*2+0x7f]
    mov dx, [eax+esi*4+0x7f]
    mov dx, [eax+edi*8+0x7f]
    mov dx, [ecx]
    mov dx, [ecx-0x12]
    mov dx, [ecx+0x12345678]
    mov dx, [ecx+eax*1+0x12345]
    mov dx, [ecx+ebp*2+0x7f]
    mov dx, [ecx+esi*4+0x7f]
    mov dx, [ecx+edi*8+0x7f]
    mov dx, [edx]
    mov dx, [edx-0x12]
    mov dx, [edx+0x12345678]
    mov dx, [edx+eax*1+0x12345]
    mov dx, [edx+ebp*2+0x7f]
    mov dx, [edx+esi*4+0x7f]
    mov dx, [edx+edi*8+0x7f]
    mov dx, [ebx]
    mov dx, [ebx-0x12]
    mov dx, [ebx+0x12345678]
    mov dx, [ebx+eax*1+0x12345]
    mov dx, [ebx+ebp*2+0x7f]
    mov dx, [ebx+esi*4+0x7f]
    mov dx, [ebx+edi*8+0x7f]
    mov dx, [esp]
    mov dx, [esp-0x12]
    mov dx, [esp+0x12345678]
    mov dx, [esp+ebp*2+0x7f]
    mov dx, [esp+esi*4+0x7f]
    mov dx, [esp+edi*8+0x7f]
    mov dx, [ebp+0x0]
    mov dx, [ebp-0x12]
    mov dx, [ebp+0x12345678]
    mov dx, [ebp+eax*1+0x12345]
    mov dx, [ebp+ebp*2+0x7f]
    mov dx, [ebp+esi*4+0x7f]
    mov dx, [ebp+edi*8+0x7f]
    mov dx, [esi]
    mov dx, [esi-0x12]
    mov dx, [esi+0x12345678]
    mov dx, [esi+eax*1+0x12345]
    mov dx, [esi+ebp*2+0x7f]
    mov dx, [esi+esi*4+0x7f]
    mov dx, [esi+edi*8+0x7f]
    mov dx, [edi]
    mov dx, [edi-0x12]
    mov dx, [edi+0x12345678]
    mov dx, [edi+eax*1+0x12345]
    mov dx, [edi+ebp*2+0x7f]
    mov dx, [edi+esi*4+0x7f]
    mov dx, [edi+edi*8+0x7f]
    mov dx, [ecx*4+0x12345678]
    mov dx, [ebp*8+0x10]
    mov dx, [edx*8-0x80]
    mov al, [rbx]
    mov [rbx], al
    mov cl, [rbx]
    mov [rbx], cl
    mov dl, [rbx]
    mov [rbx], dl
    mov bl, [rbx]
    mov [rbx], bl
    mov spl, [rbx]
    mov [rbx], spl
    mov bpl, [rbx]
    mov [rbx], bpl
    mov sil, [rbx]
    mov [rbx], sil
    mov dil, [rbx]
    mov [rbx], dil
    mov r8b, [rbx]
    mov [rbx], r8b
    mov r9b, [rbx]
    mov [rbx], r9b
    mov r10b, [rbx]
    mov [rbx], r10b
    mov r11b, [rbx]
    mov [rbx], r11b
    mov r12b, [rbx]
    mov [rbx], r12b
    mov r13b, [rbx]
    mov [rbx], r13b
    mov r14b, [rbx]
    mov [rbx], r14b
    mov r15b, [rbx]
    mov [rbx], r15b
    mov ah, [rbx]
    mov [rbx], ah
    mov ch, [rbx]
    mov [rbx], ch
    mov dh, [rbx]
    mov [rbx], dh
    mov bh, [rbx]
    mov [rbx], bh
    mov r8w, [rbx]
    mov [rbx], r8w
    mov r9w, [rbx]
    mov [rbx], r9w
    mov r10w, [rbx]
    mov [rbx], r10w
    mov r11w, [rbx]
    mov [rbx], r11w
    mov r12w, [rbx]
    mov [rbx], r12w
    mov r13w, [rbx]
    mov [rbx], r13w
    mov r14w, [rbx]
    mov [rbx], r14w
    mov r15w, [rbx]
    mov [rbx], r15w
    mov ax, [rbx]
    mov [rbx], ax
    mov cx, [rbx]
    mov [rbx], cx
    mov dx, [rbx]
    mov [rbx], dx
    mov bx, [rbx]
    mov [rbx], bx
    mov sp, [rbx]
    mov [rbx], sp
    mov bp, [rbx]
    mov [rbx], bp
    mov si, [rbx]
    mov [rbx], si
    mov di, [rbx]
    mov [rbx], di
    mov eax, [rbx]
    mov [rbx], eax
    mov ecx, [rbx]
    mov [rbx], ecx
    mov edx, [rbx]
    mov [rbx], edx
    mov ebx, [rbx]
    mov [rbx], ebx
    mov esp, [rbx]
    mov [rbx], esp
    mov ebp, [rbx]
    mov [rbx], ebp
    mov esi, [rbx]
    mov [rbx], esi
    mov edi, [rbx]
    mov [rbx], edi
    mov r8d, [rbx]
    mov [rbx], r8d
    mov r9d, [rbx]
    mov [rbx], r9d
    mov r10d, [rbx]
    mov [rbx], r10d
    mov r11d, [rbx]
    mov [rbx], r11d
    mov r12d, [rbx]
    mov [rbx], r12d
    mov r13d, [rbx]
    mov [rbx], r13d
    mov r14d, [rbx]
    mov [rbx], r14d
    mov r15d, [rbx]
    mov [rbx], r15d
    mov rax, [rbx]
    mov [rbx], rax
    mov rcx, [rbx]
    mov [rbx], rcx
    mov rdx, [rbx]
    mov [rbx], rdx
    mov rbx, [rbx]
    mov [rbx], rbx
    mov rsp, [rbx]
    mov [rbx], rsp
    mov rbp, [rbx]
    mov [rbx], rbp
    mov rsi, [rbx]
    mov [rbx], rsi
    mov rdi, [rbx]
    mov [rbx], rdi
    mov r8, [rbx]
    mov [rbx], r8
    mov r9, [rbx]
    mov [rbx], r9
    mov r10, [rbx]
    mov [rbx], r10
    mov r11, [rbx]
    mov [rbx], r11
    mov r12, [rbx]
    mov [rbx], r12
    mov r13, [rbx]
    mov [rbx], r13
    mov r14, [rbx]
    mov [rbx], r14
    mov r15, [rbx]
    mov [rbx], r15
    add al, [rsi]
    add [rsi], bl
    add cx, [rsi]
    add [rsi], bx
    add edx, [rsi]
    add [rsi], ebx
    add rbx, [rsi]
    add [rsi], rbx
    add byte [rsi], 0x12
    add word [rsi], 0x12
    add word [rsi], -0x12
    add word [rsi], 0x1234
    add dword [rsi], 0x12
    add dword [rsi], -0x12
    add dword [rsi], 0x1234
    add qword [rsi], 0x12
    add qword [rsi], -0x12
    add qword [rsi], 0x1234
    or cl, [rsi]
    or [rsi], spl
    or dx, [rsi]
    or [rsi], sp
    or ebx, [rsi]
    or [rsi], esp
    or rsp, [rsi]
    or [rsi], rsp
    or byte [rsi], 0x12
    or word [rsi], 0x12
    or word [rsi], -0x12
    or word [rsi], 0x1234
    or dword [rsi], 0x12
    or dword [rsi], -0x12
    or dword [rsi], 0x1234
    or qword [rsi], 0x12
    or qword [rsi], -0x12
    or qword [rsi], 0x1234
    adc dl, [rsi]
    adc [rsi], bpl
    adc bx, [rsi]
    adc [rsi], bp
    adc esp, [rsi]
    adc [rsi], ebp
    adc rbp, [rsi]
    adc [rsi], rbp
    adc byte [rsi], 0x12
    adc word [rsi], 0x12
    adc word [rsi], -0x12
    adc word [rsi], 0x1234
    adc dword [rsi], 0x12
    adc dword [rsi], -0x12
    adc dword [rsi], 0x1234
    adc qword [rsi], 0x12
    adc qword [rsi], -0x12
    adc qword [rsi], 0x1234
    sbb bl, [rsi]
    sbb [rsi], sil
    sbb sp, [rsi]
    sbb [rsi], si
    sbb ebp, [rsi]
    sbb [rsi], esi
    sbb rsi, [rsi]
    sbb [rsi], rsi
    sbb byte [rsi], 0x12
    sbb word [rsi], 0x12
    sbb word [rsi], -0x12
    sbb word [rsi], 0x1234
    sbb dword [rsi], 0x12
    sbb dword [rsi], -0x12
    sbb dword [rsi], 0x1234
    sbb qword [rsi], 0x12
    sbb qword [rsi], -0x12
    sbb qword [rsi], 0x1234
    and spl, [rsi]
    and [rsi], dil
    and bp, [rsi]
    and [rsi], di
    and esi, [rsi]
    and [rsi], edi
    and rdi, [rsi]
    and [rsi], rdi
    and byte [rsi], 0x12
    and word [rsi], 0x12
    and word [rsi], -0x12
    and word [rsi], 0x1234
    and dword [rsi], 0x12
    and dword [rsi], -0x12
    and dword [rsi], 0x1234
    and qword [rsi], 0x12
    and qword [rsi], -0x12
    and qword [rsi], 0x1234
    sub bpl, [rsi]
    sub [rsi], r8b
    sub si, [rsi]
    sub [rsi], ax
    sub edi, [rsi]
    sub [rsi], eax
    sub r8, [rsi]
    sub [rsi], r8
    sub byte [rsi], 0x12
    sub word [rsi], 0x12
    sub word [rsi], -0x12
    sub word [rsi], 0x1234
    sub dword [rsi], 0x12
    sub dword [rsi], -0x12
    sub dword [rsi], 0x1234
    sub qword [rsi], 0x12
    sub qword [rsi], -0x12
    sub qword [rsi], 0x1234
    xor sil, [rsi]
    xor [rsi], r9b
    xor di, [rsi]
    xor [rsi], cx
    xor eax, [rsi]
    xor [rsi], ecx
    xor r9, [rsi]
    xor [rsi], r9
    xor byte [rsi], 0x12
    xor word [rsi], 0x12
    xor word [rsi], -0x12
    xor word [rsi], 0x1234
    xor dword [rsi], 0x12
    xor dword [rsi], -0x12
    xor dword [rsi], 0x1234
    xor qword [rsi], 0x12
    xor qword [rsi], -0x12
    xor qword [rsi], 0x1234
    cmp dil, [rsi]
    cmp [rsi], r10b
    cmp ax, [rsi]
    cmp [rsi], dx
    cmp ecx, [rsi]
    cmp [rsi], edx
    cmp r10, [rsi]
    cmp [rsi], r10
    cmp byte [rsi], 0x12
    cmp word [rsi], 0x12
    cmp word [rsi], -0x12
    cmp word [rsi], 0x1234
    cmp dword [rsi], 0x12
    cmp dword [rsi], -0x12
    cmp dword [rsi], 0x1234
    cmp qword [rsi], 0x12
    cmp qword [rsi], -0x12
    cmp qword [rsi], 0x1234
    test [rsi], cl
    xchg [rsi], dl
    test [rsi], cx
    xchg [rsi], dx
    test [rsi], ecx
    xchg [rsi], edx
    test [rsi], rcx
    xchg [rsi], rdx
    test byte [rsi], 0x34
    mov byte [rsi], 0x56
    test word [rsi], 0x34
    mov word [rsi], 0x56
    test dword [rsi], 0x34
    mov dword [rsi], 0x56
    test qword [rsi], 0x34
    mov qword [rsi], 0x56
    movzx dx, byte [r14]
    movsx dx, byte [rbx]
    movzx edi, byte [r14]
    movsx edi, byte [rbx]
    movzx r10d, byte [r14]
    movsx r10d, byte [rbx]
    movzx r11, byte [r14]
    movsx r11, byte [rbx]
    movzx edi, word [r14]
    movsx edi, word [rbx]
    movzx r10d, word [r14]
    movsx r10d, word [rbx]
    movzx r11, word [r14]
    movsx r11, word [rbx]
    movsxd rax, dword [rbx]
    movsxd r9, dword [r10+r11*2]
    mov al, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], al
    mov ax, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], ax
    mov eax, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], eax
    mov rax, [qword 0x123456789abcdef0]
    mov [qword 0x123456789abcdef0], rax
    mov eax, [fs:rsi]
    mov rax, [fs:0x28]
    mov eax, [gs:rsi]
    mov rax, [gs:0x28]
    mov qword [rbx], -0x12345678
    mov dword [rel start], 0x12345678
    add qword [rel start], 0x12
    stosb
    rep stosb
    lodsb
    rep lodsb
    movsb
    rep movsb
    stosw
    rep stosw
    lodsw
    rep lodsw
    movsw
    rep movsw
    stosd
    rep stosd
    lodsd
    rep lodsd
    movsd
    rep movsd
    stosq
    rep stosq
    lodsq
    rep lodsq
    movsq
    rep movsq
    a32 rep stosq
    a32 lodsb
    fs lodsb
    gs rep movsq
    lock xor qword [rbx], 0x1
    lock add dword [ebx], 0x1
    xadd [rbp-0x12], sil
    cmpxchg [rbx], bh
    xadd [rbx], sil
    cmpxchg [rbx], bh
    xadd [r13+r14*8+0x12345678], sil
    cmpxchg [rbx], bh
    inc byte [r9+rcx*4+0x7f]
    dec byte [rbp-0x12]
    not byte [rel start]
    neg byte [r13+r14*8+0x12345678]
    mul byte [ecx]
    imul byte [rbx]
    shl byte [r9+rcx*4+0x7f], 0x1
    shl byte [rbp-0x12], cl
    shl byte [rel start], 0x1f
    shr byte [r13+r14*8+0x12345678], 0x1
    shr byte [ecx], cl
    shr byte [rbx], 0x1f
    sar byte [r9+rcx*4+0x7f], 0x1
    sar byte [rbp-0x12], cl
    sar byte [rel start], 0x1f
    rol byte [r13+r14*8+0x12345678], 0x1
    rol byte [ecx], cl
    rol byte [rbx], 0x1f
    ror byte [r9+rcx*4+0x7f], 0x1
    ror byte [rbp-0x12], cl
    ror byte [rel start], 0x1f
    rcl byte [r13+r14*8+0x12345678], 0x1
    rcl byte [ecx], cl
    rcl byte [rbx], 0x1f
    rcr byte [r9+rcx*4+0x7f], 0x1
    rcr byte [rbp-0x12], cl
    rcr byte [rel start], 0x1f
    xadd [ecx], r10w
    cmpxchg [r9+rcx*4+0x7f], ax
    xadd [rel start], si
    cmpxchg [ecx], r10w
    xadd [r9+rcx*4+0x7f], ax
    cmpxchg [rel start], si
    inc word [r13+r14*8+0x12345678]
    dec word [ecx]
    not word [rbx]
    neg word [r9+rcx*4+0x7f]
    mul word [rbp-0x12]
    imul word [rel start]
    shl word [r13+r14*8+0x12345678], 0x1
    shl word [ecx], cl
    shl word [rbx], 0x1f
    shr word [r9+rcx*4+0x7f], 0x1
    shr word [rbp-0x12], cl
    shr word [rel start], 0x1f
    sar word [r13+r14*8+0x12345678], 0x1
    sar word [ecx], cl
    sar word [rbx], 0x1f
    rol word [r9+rcx*4+0x7f], 0x1
    rol word [rbp-0x12], cl
    rol word [rel start], 0x1f
    ror word [r13+r14*8+0x12345678], 0x1
    ror word [ecx], cl
    ror word [rbx], 0x1f
    rcl word [r9+rcx*4+0x7f], 0x1
    rcl word [rbp-0x12], cl
    rcl word [rel start], 0x1f
    rcr word [r13+r14*8+0x12345678], 0x1
    rcr word [ecx], cl
    rcr word [rbx], 0x1f
    xadd [rbp-0x12], r11d
    cmpxchg [r13+r14*8+0x12345678], ecx
    xadd [rbx], edi
    cmpxchg [rbp-0x12], r11d
    xadd [r13+r14*8+0x12345678], ecx
    cmpxchg [rbx], edi
    inc dword [r9+rcx*4+0x7f]
    dec dword [rbp-0x12]
    not dword [rel start]
    neg dword [r13+r14*8+0x12345678]
    mul dword [ecx]
    imul dword [rbx]
    shl dword [r9+rcx*4+0x7f], 0x1
    shl dword [rbp-0x12], cl
    shl dword [rel start], 0x1f
    shr dword [r13+r14*8+0x12345678], 0x1
    shr dword [ecx], cl
    shr dword [rbx], 0x1f
    sar dword [r9+rcx*4+0x7f], 0x1
    sar dword [rbp-0x12], cl
    sar dword [rel start], 0x1f
    rol dword [r13+r14*8+0x12345678], 0x1
    rol dword [ecx], cl
    rol dword [rbx], 0x1f
    ror dword [r9+rcx*4+0x7f], 0x1
    ror dword [rbp-0x12], cl
    ror dword [rel start], 0x1f
    rcl dword [r13+r14*8+0x12345678], 0x1
    rcl dword [ecx], cl
    rcl dword [rbx], 0x1f
    rcr dword [r9+rcx*4+0x7f], 0x1
    rcr dword [rbp-0x12], cl
    rcr dword [rel start], 0x1f
    xadd [ecx], rsp
    cmpxchg [r9+rcx*4+0x7f], rax
    xadd [rel start], r12
    cmpxchg [ecx], rsp
    xadd [r9+rcx*4+0x7f], rax
    cmpxchg [rel start], r12
    inc qword [r13+r14*8+0x12345678]
    dec qword [ecx]
    not qword [rbx]
    neg qword [r9+rcx*4+0x7f]
    mul qword [rbp-0x12]
    imul qword [rel start]
    shl qword [r13+r14*8+0x12345678], 0x1
    shl qword [ecx], cl
    shl qword [rbx], 0x1f
    shr qword [r9+rcx*4+0x7f], 0x1
    shr qword [rbp-0x12], cl
    shr qword [rel start], 0x1f
    sar qword [r13+r14*8+0x12345678], 0x1
    sar qword [ecx], cl
    sar qword [rbx], 0x1f
    rol qword [r9+rcx*4+0x7f], 0x1
    rol qword [rbp-0x12], cl
    rol qword [rel start], 0x1f
    ror qword [r13+r14*8+0x12345678], 0x1
    ror qword [ecx], cl
    ror qword [rbx], 0x1f
    rcl qword [r9+rcx*4+0x7f], 0x1
    rcl qword [rbp-0x12], cl
    rcl qword [rel start], 0x1f
    rcr qword [r13+r14*8+0x12345678], 0x1
    rcr qword [ecx], cl
    rcr qword [rbx], 0x1f
    bt [rbp-0x12], r10w
    bt word [rel start], 0x1b
    bts [ecx], r10w
    bts word [rbx], 0x1b
    btr [rbp-0x12], r10w
    btr word [rel start], 0x1b
    btc [ecx], r10w
    btc word [rbx], 0x1b
    movbe r10w, [rbp-0x12]
    movbe [r13+r14*8+0x12345678], ax
    imul si, [rbx]
    bsf r10w, [rbp-0x12]
    bsr ax, [r13+r14*8+0x12345678]
    popcnt si, [rbx]
    lzcnt r10w, [rbp-0x12]
    tzcnt ax, [r13+r14*8+0x12345678]
    imul si, [rbx], 0x12
    imul r10w, [rbp-0x12], -0x12
    imul ax, [r13+r14*8+0x12345678], 0x1234
    cmovb si, [rbx]
    cmovnz r10w, [rbp-0x12]
    cmovs ax, [r13+r14*8+0x12345678]
    cmovnp si, [rbx]
    cmovng r10w, [rbp-0x12]
    bt [r13+r14*8+0x12345678], ecx
    bt dword [ecx], 0x1b
    bts [r9+rcx*4+0x7f], ecx
    bts dword [rbp-0x12], 0x1b
    btr [r13+r14*8+0x12345678], ecx
    btr dword [ecx], 0x1b
    btc [r9+rcx*4+0x7f], ecx
    btc dword [rbp-0x12], 0x1b
    movbe ecx, [r13+r14*8+0x12345678]
    movbe [rbx], edi
    imul r11d, [rbp-0x12]
    bsf ecx, [r13+r14*8+0x12345678]
    bsr edi, [rbx]
    popcnt r11d, [rbp-0x12]
    lzcnt ecx, [r13+r14*8+0x12345678]
    tzcnt edi, [rbx]
    imul r11d, [rbp-0x12], 0x12
    imul ecx, [r13+r14*8+0x12345678], -0x12
    imul edi, [rbx], 0x1234
    cmovno r11d, [rbp-0x12]
    cmovz ecx, [r13+r14*8+0x12345678]
    cmova edi, [rbx]
    cmovp r11d, [rbp-0x12]
    cmovnl ecx, [r13+r14*8+0x12345678]
    bt [rbx], r12
    bt qword [r9+rcx*4+0x7f], 0x1b
    bts [rel start], r12
    bts qword [r13+r14*8+0x12345678], 0x1b
    btr [rbx], r12
    btr qword [r9+rcx*4+0x7f], 0x1b
    btc [rel start], r12
    btc qword [r13+r14*8+0x12345678], 0x1b
    movbe r12, [rbx]
    movbe [rbp-0x12], rsp
    imul rax, [r13+r14*8+0x12345678]
    bsf r12, [rbx]
    bsr rsp, [rbp-0x12]
    popcnt rax, [r13+r14*8+0x12345678]
    lzcnt r12, [rbx]
    tzcnt rsp, [rbp-0x12]
    imul rax, [r13+r14*8+0x12345678], 0x12
    imul r12, [rbx], -0x12
    imul rsp, [rbp-0x12], 0x1234
    cmovb rax, [r13+r14*8+0x12345678]
    cmovnz r12, [rbx]
    cmovs rsp, [rbp-0x12]
    cmovnp rax, [r13+r14*8+0x12345678]
    cmovng r12, [rbx]
    seto byte [r9+rcx*4+0x7f]
    cmovo edi, [rel start]
    setno byte [r13+r14*8+0x12345678]
    cmovno edi, [rbx]
    setb byte [r9+rcx*4+0x7f]
    cmovb edi, [rel start]
    setnb byte [r13+r14*8+0x12345678]
    cmovnb edi, [rbx]
    setz byte [r9+rcx*4+0x7f]
    cmovz edi, [rel start]
    setnz byte [r13+r14*8+0x12345678]
    cmovnz edi, [rbx]
    setbe byte [r9+rcx*4+0x7f]
    cmovbe edi, [rel start]
    seta byte [r13+r14*8+0x12345678]
    cmova edi, [rbx]
    sets byte [r9+rcx*4+0x7f]
    cmovs edi, [rel start]
    setns byte [r13+r14*8+0x12345678]
    cmovns edi, [rbx]
    setp byte [r9+rcx*4+0x7f]
    cmovp edi, [rel start]
    setnp byte [r13+r14*8+0x12345678]
    cmovnp edi, [rbx]
    setl byte [r9+rcx*4+0x7f]
    cmovl edi, [rel start]
    setnl byte [r13+r14*8+0x12345678]
    cmovnl edi, [rbx]
    setng byte [r9+rcx*4+0x7f]
    cmovng edi, [rel start]
    setg byte [r13+r14*8+0x12345678]
    cmovg edi, [rbx]
    movnti [r9+rcx*4+0x7f], ecx
    movnti [rbp-0x12], edi
    movnti [rel start], r9
    movnti [r13+r14*8+0x12345678], r14d
    mov word [ecx], es
    mov word [rbx], cs
    mov word [r9+rcx*4+0x7f], ss
    mov word [rbp-0x12], ds
    mov word [rel start], fs
    mov word [r13+r14*8+0x12345678], gs
    push word [rbx]
    pop word [rbx]
    push word [r9+rcx*4+0x7f]
    pop word [r9+rcx*4+0x7f]
    push word [rbp-0x12]
    pop word [rbp-0x12]
    push word [rel start]
    pop word [rel start]
    push word [r13+r14*8+0x12345678]
    pop word [r13+r14*8+0x12345678]
    push word [ecx]
    pop word [ecx]
    push qword [rbx]
    pop qword [rbx]
    push qword [r9+rcx*4+0x7f]
    pop qword [r9+rcx*4+0x7f]
    push qword [rbp-0x12]
    pop qword [rbp-0x12]
    push qword [rel start]
    pop qword [rel start]
    push qword [r13+r14*8+0x12345678]
    pop qword [r13+r14*8+0x12345678]
    push qword [ecx]
    pop qword [ecx]
    push qword [rsp+0x8]
    pop qword [rsp+0x8]
    cmpxchg16b [rbx]
    cmpxchg16b [r9+rcx*4+0x7f]
    lock cmpxchg16b [rdi]
    cmpxchg8b [ecx]
    lock cmpxchg8b [rbx]
    lock inc dword [rbx]
    lock dec dword [rbx]
    lock not dword [rbx]
    lock neg dword [rbx]
    lock xadd [rbx], ecx
    lock cmpxchg [rbx], ecx
    lock xchg [rbx], ecx
    lock bts [rbx], ecx
    lock btr [rbx], ecx
    lock btc [rbx], ecx
    lock add [rbx], ecx
    lock or [rbx], ecx
    lock adc [rbx], ecx
    lock sbb [rbx], ecx
    lock and [rbx], ecx
    lock sub [rbx], ecx
    lock xor [rbx], ecx
    cmpsb
    repe cmpsb
    repne cmpsb
    scasb
    repe scasb
    repne scasb
    repne movsb
    repne stosb
    repne lodsb
    cmpsw
    repe cmpsw
    repne cmpsw
    scasw
    repe scasw
    repne scasw
    repne movsw
    repne stosw
    repne lodsw
    cmpsd
    repe cmpsd
    repne cmpsd
    scasd
    repe scasd
    repne scasd
    repne movsd
    repne stosd
    repne lodsd
    cmpsq
    repe cmpsq
    repne cmpsq
    scasq
    repe scasq
    repne scasq
    repne movsq
    repne stosq
    repne lodsq
    a32 repne scasb
    fs cmpsd
    movups xmm13, [rbp-0x12]
    movups [rel start], xmm0
    movups xmm1, [rbx]
    movups [r9+rcx*4+0x7f], xmm4
    movupd xmm5, [r13+r14*8+0x12345678]
    movupd [ecx], xmm8
    movupd xmm9, [rbp-0x12]
    movupd [rel start], xmm12
    movaps xmm13, [rbx]
    movaps [r9+rcx*4+0x7f], xmm0
    movaps xmm1, [r13+r14*8+0x12345678]
    movaps [ecx], xmm4
    movapd xmm5, [rbp-0x12]
    movapd [rel start], xmm8
    movapd xmm9, [rbx]
    movapd [r9+rcx*4+0x7f], xmm12
    movdqa xmm13, [r13+r14*8+0x12345678]
    movdqa [ecx], xmm0
    movdqa xmm1, [rbp-0x12]
    movdqa [rel start], xmm4
    movdqu xmm5, [rbx]
    movdqu [r9+rcx*4+0x7f], xmm8
    movdqu xmm9, [r13+r14*8+0x12345678]
    movdqu [ecx], xmm12
    movss xmm13, [rbp-0x12]
    movss [rel start], xmm0
    movss xmm1, [rbx]
    movss [r9+rcx*4+0x7f], xmm4
    movsd xmm5, [r13+r14*8+0x12345678]
    movsd [ecx], xmm8
    movsd xmm9, [rbp-0x12]
    movsd [rel start], xmm12
    movlps xmm13, [rbx]
    movlps [r9+rcx*4+0x7f], xmm0
    movlps xmm1, [r13+r14*8+0x12345678]
    movlps [ecx], xmm4
    movlpd xmm5, [rbp-0x12]
    movlpd [rel start], xmm8
    movlpd xmm9, [rbx]
    movlpd [r9+rcx*4+0x7f], xmm12
    movhps xmm13, [r13+r14*8+0x12345678]
    movhps [ecx], xmm0
    movhps xmm1, [rbp-0x12]
    movhps [rel start], xmm4
    movhpd xmm5, [rbx]
    movhpd [r9+rcx*4+0x7f], xmm8
    movhpd xmm9, [r13+r14*8+0x12345678]
    movhpd [ecx], xmm12
    movntps [r9+rcx*4+0x7f], xmm14
    movntpd [rel start], xmm0
    movntdq [ecx], xmm2
    movntdqa xmm3, [rbp-0x12]
    lddqu xmm5, [r13+r14*8+0x12345678]
    movd xmm7, dword [rbx]
    movd dword [r9+rcx*4+0x7f], xmm10
    movq xmm11, qword [r13+r14*8+0x12345678]
    movq qword [ecx], xmm14
    movd xmm9, dword [r8]
    vmovups xmm15, [rbp-0x12]
    vmovups [rel start], xmm2
    vmovups ymm3, [rbx]
    vmovups [r9+rcx*4+0x7f], ymm6
    vmovupd xmm7, [r13+r14*8+0x12345678]
    vmovupd [ecx], xmm10
    vmovupd ymm11, [rbp-0x12]
    vmovupd [rel start], ymm14
    vmovaps xmm15, [rbx]
    vmovaps [r9+rcx*4+0x7f], xmm2
    vmovaps ymm3, [r13+r14*8+0x12345678]
    vmovaps [ecx], ymm6
    vmovapd xmm7, [rbp-0x12]
    vmovapd [rel start], xmm10
    vmovapd ymm11, [rbx]
    vmovapd [r9+rcx*4+0x7f], ymm14
    vmovdqa xmm15, [r13+r14*8+0x12345678]
    vmovdqa [ecx], xmm2
    vmovdqa ymm3, [rbp-0x12]
    vmovdqa [rel start], ymm6
    vmovdqu xmm7, [rbx]
    vmovdqu [r9+rcx*4+0x7f], xmm10
    vmovdqu ymm11, [r13+r14*8+0x12345678]
    vmovdqu [ecx], ymm14
    vmovss xmm15, [rbp-0x12]
    vmovss [rel start], xmm2
    vmovsd xmm3, [rbx]
    vmovsd [r9+rcx*4+0x7f], xmm6
    vmovlps xmm7, xmm8, [ecx]
    vmovlps [rbx], xmm11
    vmovlpd xmm12, xmm13, [r13+r14*8+0x12345678]
    vmovlpd [ecx], xmm0
    vmovhps xmm1, xmm2, [rel start]
    vmovhps [r13+r14*8+0x12345678], xmm5
    vmovhpd xmm6, xmm7, [rbp-0x12]
    vmovhpd [rel start], xmm10
    vmovntps [ecx], xmm12
    vmovntps [r9+rcx*4+0x7f], ymm14
    vmovntpd [rel start], xmm0
    vmovntpd [ecx], ymm2
    vmovntdq [r9+rcx*4+0x7f], xmm4
    vmovntdq [rel start], ymm6
    vmovntdqa xmm7, [rbx]
    vmovntdqa ymm9, [rbp-0x12]
    vlddqu xmm11, [r13+r14*8+0x12345678]
    vlddqu ymm13, [rbx]
    vmovd xmm15, dword [rbp-0x12]
    vmovd dword [rel start], xmm2
    vmovq xmm3, qword [rbx]
    vmovq qword [r9+rcx*4+0x7f], xmm6
